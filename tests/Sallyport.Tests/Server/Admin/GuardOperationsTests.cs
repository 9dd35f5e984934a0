using Sallyport.Server.Admin.Operations;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>Bans by command, and what is forgotten.</summary>
public sealed class GuardOperationsTests : IAsyncDisposable
{
    private readonly AdminBench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_network_is_banned_for_its_time_listed_and_let_in_again()
    {
        Assert.Equal((true, AdminCodes.BanAdded), Of(await _bench.CallAsync(GuardOperations.Add, new NewBan("192.0.2.7", 3600))));
        var ban = Assert.Single(await _bench.ListAsync(GuardOperations.List, ListRequest.All));
        Assert.Equal(TimeSpan.FromHours(1), ban.Until - ban.Since);
        Assert.Contains("192.0.2.7", ban.Network);
        Assert.Equal((true, AdminCodes.BanRemoved), Of(await _bench.CallAsync(GuardOperations.Remove, new AddressName("192.0.2.7"))));
        Assert.Equal((false, AdminCodes.BanUnknown), Of(await _bench.CallAsync(GuardOperations.Remove, new AddressName("192.0.2.7"))));
        Assert.Empty(await _bench.ListAsync(GuardOperations.List, ListRequest.All));
    }

    [Fact]
    public async Task A_ban_outlives_no_decade_and_no_moment()
    {
        await _bench.CallAsync(GuardOperations.Add, new NewBan("192.0.2.7", long.MaxValue));
        await _bench.CallAsync(GuardOperations.Add, new NewBan("198.51.100.7", -5));
        var bans = await _bench.ListAsync(GuardOperations.List, ListRequest.All);
        Assert.Equal([TimeSpan.FromDays(3650), TimeSpan.FromSeconds(1)], bans.Select(ban => ban.Until - ban.Since));
    }

    [Fact]
    public async Task What_is_no_address_is_not_banned()
    {
        Assert.Equal((false, AdminCodes.InvalidIpAddress), Of(await _bench.CallAsync(GuardOperations.Add, new NewBan("acme.test", 60))));
        Assert.Equal((false, AdminCodes.InvalidIpAddress), Of(await _bench.CallAsync(GuardOperations.Remove, new AddressName("x"))));
        Assert.Empty(await _bench.ListAsync(GuardOperations.List, ListRequest.All));
    }

    [Fact]
    public async Task The_failures_of_a_login_are_forgotten()
    {
        Assert.Equal((true, AdminCodes.FailuresForgotten), Of(await _bench.CallAsync(GuardOperations.Reset, new UserName("Jane@acme.test"))));
        Assert.Equal((false, AdminCodes.InvalidLogin), Of(await _bench.CallAsync(GuardOperations.Reset, new UserName("a\0b"))));
        Assert.Empty(await _bench.ListAsync(GuardOperations.Stale, ListRequest.All));
    }

    private static (bool, string) Of(AdminAnswer answer) => (answer.Done, answer.Code);
}
