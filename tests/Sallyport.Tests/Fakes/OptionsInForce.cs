using Sallyport.Server.Configuration;

namespace Sallyport.Tests.Fakes;

/// <summary>Options a test may change while something goes by them.</summary>
internal sealed class OptionsInForce(ServerOptions options) : IOptionsInForce
{
    public OptionsInForce()
        : this(new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere" })
    {
    }

    public ServerOptions Options { get; set; } = options;
}
