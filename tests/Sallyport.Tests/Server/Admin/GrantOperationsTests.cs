using Sallyport.Server.Admin.Operations;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>Who may send as whom, by command.</summary>
public sealed class GrantOperationsTests : IAsyncDisposable
{
    private readonly AdminBench _bench = new();

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_grant_is_added_once_shown_by_its_source_and_taken_back_once()
    {
        var pair = new GrantPair("jane@acme.test", "info@acme.test");
        Assert.Equal((true, AdminCodes.GrantAdded), Of(await _bench.CallAsync(GrantOperations.Add, pair)));
        Assert.Equal((false, AdminCodes.GrantExists), Of(await _bench.CallAsync(GrantOperations.Add, pair)));
        Assert.Equal(("jane@acme.test", "info@acme.test"),
            Assert.Single(await _bench.ListAsync(GrantOperations.List, ListRequest.All)) is var one ? (one.To, one.As) : default);
        var rights = await _bench.CallAsync(GrantOperations.Of, new UserName("jdoe@acme.test"));
        Assert.Equal(("jane@acme.test", null, "site", "refuse"), (rights.Login, rights.Problem, rights.Directory, rights.Mode));
        Assert.Contains(rights.Rights, right => right.Sender == "info@acme.test");
        var who = await _bench.CallAsync(GrantOperations.WhoMaySendAs, new AddressName("info@acme.test"));
        Assert.Contains(who.Who, right => right.Login == "jane@acme.test");
        Assert.Equal((true, AdminCodes.GrantRemoved), Of(await _bench.CallAsync(GrantOperations.Remove, pair)));
        Assert.Equal((false, AdminCodes.GrantUnknown), Of(await _bench.CallAsync(GrantOperations.Remove, pair)));
        Assert.Empty(await _bench.ListAsync(GrantOperations.List, ListRequest.All));
    }

    [Theory]
    [InlineData("", "info@acme.test")]
    [InlineData("jane@acme.test", "not an address")]
    [InlineData("jane@acme.test", "login:")]
    public async Task A_grant_to_nobody_or_of_nothing_is_refused(string to, string granted)
    {
        Assert.Equal((false, AdminCodes.InvalidGrant), Of(await _bench.CallAsync(GrantOperations.Add, new GrantPair(to, granted))));
        Assert.Empty(await _bench.ListAsync(GrantOperations.List, ListRequest.All));
    }

    [Fact]
    public async Task A_grant_longer_than_the_store_takes_is_refused() => Assert.Equal((false, AdminCodes.InvalidGrant),
        Of(await _bench.CallAsync(GrantOperations.Add, new GrantPair(new string('x', 251), "info@acme.test"))));

    [Fact]
    public async Task An_unknown_login_and_an_invalid_address_have_a_problem()
    {
        Assert.NotNull((await _bench.CallAsync(GrantOperations.Of, new UserName("eve@acme.test"))).Problem);
        Assert.Contains("is not a mail address", (await _bench.CallAsync(GrantOperations.WhoMaySendAs, new AddressName("info"))).Problem);
    }

    private static (bool, string) Of(AdminAnswer answer) => (answer.Done, answer.Code);
}
