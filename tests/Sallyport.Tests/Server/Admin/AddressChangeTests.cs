using Sallyport.Mail.Sasl;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>sallyport user address: what an account may send as, changed without making it anew.</summary>
public sealed class AddressChangeTests : IAsyncDisposable
{
    private readonly MemoryStore _store = new();
    private readonly LocalAdmin _admin;

    public AddressChangeTests()
    {
        var site = SiteServices.OpenAsync(
            new LentStore(_store), new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere" }, new SilentLog(), TimeProvider.System,
            default)
            .GetAwaiter().GetResult();
        _admin = new LocalAdmin(site.ForAdmin(startedAt: null), site);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Addresses_are_added_and_taken_away_by_what_they_mean()
    {
        await AddJaneAsync("Info@bücher.example");
        Assert.Equal(
            new AdminAnswer(
                true, AdminCodes.AddressesChanged, "jane@acme.test may send as jane@acme.test, info@xn--bcher-kva.example, sales@acme.test"),
            await ChangeAsync(new("Jane@acme.test", ["Sales@ACME.test"], [])));
        Assert.Equal(
            new AdminAnswer(true, AdminCodes.AddressesChanged, "jane@acme.test may send as jane@acme.test, sales@acme.test"),
            await ChangeAsync(new("jane@acme.test", [], ["info@XN--bcher-kva.example"])));
    }

    [Theory]
    [InlineData(AdminCodes.InvalidAddress, "jane@acme.test", "not an address", "\"not an address\" is not a mail address")]
    [InlineData(AdminCodes.AddressNotGranted, "jane@acme.test", "x@acme.test", "x@acme.test was not granted to jane@acme.test")]
    [InlineData(AdminCodes.AddressIsLogin, "jane@acme.test", "JANE@acme.test", "jane@acme.test may always send as itself")]
    [InlineData(AdminCodes.InvalidPattern, "jane@acme.test", "*@acme.test",
        "\"*@acme.test\" is a pattern, not an address; a grant lets a login send as all of a domain")]
    [InlineData(AdminCodes.UserUnknown, "bob@acme.test", "x@acme.test", "there is no local account bob@acme.test")]
    public async Task What_cannot_be_taken_away_is_said(string code, string login, string address, string message)
    {
        await AddJaneAsync("info@acme.test");
        Assert.Equal(new AdminAnswer(false, code, message), await ChangeAsync(new(login, [], [address])));
        Assert.Equal(["info@acme.test"], (await _store.Accounts.FindAsync("jane@acme.test", Cancel))!.Addresses.AsEnumerable());
    }

    [Fact]
    public async Task A_new_password_leaves_a_disabled_account_disabled()
    {
        await AddJaneAsync();
        Assert.True((await _admin.CallAsync(UserOperations.Disable, new UserName("jane@acme.test"), Cancel)).Done);
        var change = new NewPassword("Jane@acme.test", new VerifierView(4096, new byte[16], new byte[32], new byte[32]));
        Assert.Equal(
            new AdminAnswer(true, AdminCodes.PasswordSet, "jane@acme.test has a new password"),
            await _admin.CallAsync(UserOperations.SetPassword, change, Cancel));
        Assert.True((await _store.Accounts.FindAsync("jane@acme.test", Cancel))!.Disabled);
    }

    private ValueTask<AdminAnswer> ChangeAsync(AddressChange change) => _admin.CallAsync(UserOperations.ChangeAddresses, change, Cancel);

    private async Task AddJaneAsync(params string[] addresses) => await _store.Accounts.AddAsync(
        new Account("jane@acme.test", new ScramVerifier(4096, new byte[16], new byte[32], new byte[32]), [.. addresses], false, default), Cancel);
}
