using Xunit;

namespace Sallyport.EndToEnd;

public sealed class PlaceholderTests
{
    [Fact]
    public void Exists() => Assert.NotNull(typeof(Sallyport.Server.Configuration.ServerOptions));
}
