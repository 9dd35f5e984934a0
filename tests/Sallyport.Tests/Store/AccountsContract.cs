using Sallyport.Mail.Sasl;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>What every store does with local accounts and settings.</summary>
public abstract class AccountsContract : HeldContract
{
    private IAccounts Accounts => Store.Accounts;

    [Fact]
    public async Task An_account_comes_back_as_it_was_added()
    {
        var account = Sample("jürgen@acme.test", "sales@acme.test", "info@acme.test");
        Assert.True(await Accounts.AddAsync(account, Cancel));
        AssertSame(account, await Accounts.FindAsync("jürgen@acme.test", Cancel));
        Assert.Null(await Accounts.FindAsync("nobody@acme.test", Cancel));
        Assert.Null(await Accounts.FindAsync("ja\nne", Cancel));
    }

    [Theory]
    [InlineData("JANE@Acme.test")]
    [InlineData("  jane@acme.test ")]
    public async Task Logins_that_prepare_to_the_same_are_one(string other)
    {
        Assert.True(await Accounts.AddAsync(Sample("Jane@acme.test"), Cancel));
        Assert.False(await Accounts.AddAsync(Sample(other) with { Disabled = true }, Cancel));
        var found = await Accounts.FindAsync(other, Cancel);
        Assert.Equal(("jane@acme.test", false), (found!.Login, found.Disabled));
        Assert.True(await Accounts.RemoveAsync(other, Cancel));
        Assert.Empty(await Accounts.ListAsync(Cancel));
    }

    [Fact]
    public async Task A_change_makes_no_account()
    {
        Assert.False(await Accounts.SetVerifierAsync("jane@acme.test", Verifier(8192), Cancel));
        Assert.False(await Accounts.SetDisabledAsync("jane@acme.test", true, Cancel));
        Assert.Null(await Accounts.ChangeAddressesAsync("jane@acme.test", ["sales@acme.test"], [], Cancel));
        Assert.Empty(await Accounts.ListAsync(Cancel));
    }

    [Fact]
    public async Task Each_change_changes_one_thing_whatever_else_changes_beside_it()
    {
        var jane = Sample("jane@acme.test", "sales@acme.test");
        await Accounts.AddAsync(jane, Cancel);
        await Task.WhenAll(
            Accounts.SetDisabledAsync("Jane@acme.test", true, Cancel).AsTask(),
            Accounts.SetVerifierAsync("jane@ACME.test", Verifier(8192), Cancel).AsTask(),
            Accounts.ChangeAddressesAsync("jane@acme.test", ["info@acme.test"], [], Cancel).AsTask());
        AssertSame(
            jane with { Disabled = true, Verifier = Verifier(8192), Addresses = ["sales@acme.test", "info@acme.test"] },
            await Accounts.FindAsync("jane@acme.test", Cancel));
    }

    [Fact]
    public async Task Addresses_are_added_once_and_taken_away_without_regard_to_case()
    {
        await Accounts.AddAsync(Sample("jane@acme.test", "sales@acme.test", "info@acme.test"), Cancel);
        var changed = await Accounts.ChangeAddressesAsync("jane@acme.test", ["SALES@acme.test", "press@acme.test"], ["Info@acme.test"], Cancel);
        Assert.Equal(["sales@acme.test", "press@acme.test"], changed!.Addresses.AsEnumerable());
        Assert.Equal(changed.Addresses.AsEnumerable(), (await Accounts.FindAsync("jane@acme.test", Cancel))!.Addresses);
    }

    [Fact]
    public async Task Accounts_are_listed_by_login_and_removed_once()
    {
        foreach (var login in new[] { "carol", "alice", "bob" })
        {
            await Accounts.AddAsync(Sample(login), Cancel);
        }

        Assert.Equal(["alice", "bob", "carol"], (await Accounts.ListAsync(Cancel)).Select(account => account.Login));
        Assert.True(await Accounts.RemoveAsync("bob", Cancel));
        Assert.False(await Accounts.RemoveAsync("bob", Cancel));
        Assert.Equal(["alice", "carol"], (await Accounts.ListAsync(Cancel)).Select(account => account.Login));
    }

    protected static Account Sample(string login, params string[] addresses) => new(login, Verifier(4096), [.. addresses], false, Now);

    private static ScramVerifier Verifier(int iterations) => new(iterations, Body(16), Body(32), Body(33).AsMemory(1));

    private static void AssertSame(Account expected, Account? found)
    {
        Assert.NotNull(found);
        Assert.Equal((expected.Login, expected.Disabled, expected.CreatedAt), (found.Login, found.Disabled, found.CreatedAt));
        Assert.Equal(expected.Addresses.AsEnumerable(), found.Addresses);
        Assert.Equal(expected.Verifier.Iterations, found.Verifier.Iterations);
        Assert.Equal(expected.Verifier.Salt.ToArray(), found.Verifier.Salt.ToArray());
        Assert.Equal(expected.Verifier.StoredKey.ToArray(), found.Verifier.StoredKey.ToArray());
        Assert.Equal(expected.Verifier.ServerKey.ToArray(), found.Verifier.ServerKey.ToArray());
    }
}
