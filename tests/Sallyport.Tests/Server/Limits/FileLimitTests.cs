using Sallyport.Server;
using Sallyport.Server.Configuration;
using Sallyport.Server.Limits;
using Xunit;

namespace Sallyport.Tests.Server.Limits;

public sealed class FileLimitTests
{
    private static readonly ServerOptions Options = new()
    {
        Hostname = "smtp.acme.test",
        Data = "/nowhere",
        Routes = [new RouteOptions { Recipients = ["*"], Smarthosts = [new("a", 25, false), new("b", 25, false)], ConnectionsMax = 20 }],
    };

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(65_536)]
    [InlineData(5168)]
    public void What_fits_stays_as_it_is_configured(long files)
    {
        var (options, notice) = FileLimit.Fit(Options, files);
        Assert.Same(Options, options);
        Assert.Null(notice);
    }

    [Theory]
    [InlineData(5167, 4999)]
    [InlineData(1024, 856)]
    [InlineData(200, 36)] // what relaying would take is at most half of the room
    [InlineData(160, 16)]
    public void Where_less_fits_fewer_connections_are_taken_and_the_administrator_is_told(long files, int connections)
    {
        var (options, notice) = FileLimit.Fit(Options, files);
        Assert.Equal(connections, options.Limits.Connections);
        Assert.Contains($"{files} files open, so {connections} connections", notice, StringComparison.Ordinal);
        Assert.Contains("raise the limit to 5168", notice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(158)]
    public void Where_nothing_fits_the_server_does_not_start(long files) =>
        Assert.Contains("too few to serve mail", Assert.Throws<StartException>(() => FileLimit.Fit(Options, files)).Message);

    [Fact]
    public void The_limit_of_this_process_is_known() => Assert.InRange(FileLimit.Lift(), 64, long.MaxValue);
}
