using Sallyport.Server.Configuration;
using Sallyport.Server.Limits;
using Xunit;

namespace Sallyport.Tests.Server.Limits;

public sealed class FileLimitTests
{
    private const int OpenAtStart = 30;

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
        var (options, notice) = FileLimit.Fit(Options, files, OpenAtStart);
        Assert.Equal((Options.Limits, Options.Routes), (options.Limits, options.Routes));
        Assert.Equal(Math.Min(files - 128 - 5000, int.MaxValue), options.Relay.ConnectionsMax);
        Assert.Null(notice);
    }

    [Theory]
    [InlineData(5167, 4999)]
    [InlineData(1024, 856)]
    [InlineData(200, 36)] // what relaying takes is at most half of the room
    [InlineData(160, 16)]
    public void Where_less_fits_fewer_connections_are_taken_and_the_administrator_is_told(long files, int connections)
    {
        var (options, notice) = FileLimit.Fit(Options, files, OpenAtStart);
        Assert.Equal(connections, options.Limits.Connections);
        Assert.Contains($"{files} files open, so {connections} connections", notice, StringComparison.Ordinal);
        Assert.Contains("raise the limit to 5168", notice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(158)]
    public void Where_nothing_fits_the_server_does_not_start(long files) =>
        Assert.Contains("too few to serve mail", Assert.Throws<StartException>(() => FileLimit.Fit(Options, files, OpenAtStart)).Message);

    [Fact]
    public void Next_hops_get_at_most_half_of_the_room_and_each_at_least_one_connection()
    {
        var (options, notice) = FileLimit.Fit(Options, 160, OpenAtStart);
        Assert.Equal((8, 16), (options.Routes[0].ConnectionsMax, options.Relay.ConnectionsMax));
        Assert.Contains(" and 16 made to next hops", notice, StringComparison.Ordinal);
        var one = Options with { Routes = [Options.Routes[0] with { ConnectionsMax = 1 }] };
        Assert.Equal(1, FileLimit.Fit(one, 160, OpenAtStart).Options.Routes[0].ConnectionsMax);
    }

    [Fact]
    public void What_is_open_at_the_start_is_taken_into_account()
    {
        Assert.Equal(5000 - 122, FileLimit.Fit(Options, 5168, openAtStart: 186).Options.Limits.Connections);
        Assert.Throws<StartException>(() => FileLimit.Fit(Options, 200, openAtStart: 186));
        Assert.InRange(FileLimit.OpenAtStart, OperatingSystem.IsWindows() ? 0 : 3, 100_000);
    }

    [Fact]
    public void Few_connections_may_be_configured_on_purpose() =>
        Assert.Null(FileLimit.Fit(Options with { Limits = new LimitOptions { Connections = 4 } }, 1024, OpenAtStart).Notice);

    [Fact]
    public void The_limit_of_this_process_is_known() => Assert.InRange(FileLimit.Lift(), 64, long.MaxValue);
}
