using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>What every store keeps apart for each site, and its keys.</summary>
public abstract class SitesContract : StateContract
{
    [Fact]
    public async Task An_account_of_one_site_is_unknown_to_the_others()
    {
        var (acme, other) = (Store.Site("acme").Accounts, Store.Site("other").Accounts);
        Assert.True(await acme.AddAsync(Sample("jane", "sales@acme.test"), Cancel));
        Assert.Null(await other.FindAsync("jane", Cancel));
        Assert.False(await other.SetDisabledAsync("jane", true, Cancel));
        Assert.Null(await other.ChangeAddressesAsync("jane", ["x@acme.test"], [], Cancel));
        Assert.False(await other.RemoveAsync("jane", Cancel));
        Assert.True(await other.AddAsync(Sample("jane") with { Disabled = true }, Cancel));
        Assert.False((await acme.FindAsync("jane", Cancel))!.Disabled);
        Assert.Empty(Assert.Single(await other.ListAsync(Cancel)).Addresses);
        Assert.Empty(await Store.Accounts.ListAsync(Cancel));
    }

    [Fact]
    public async Task The_accounts_of_the_store_are_those_of_the_default_site()
    {
        await Store.Accounts.AddAsync(Sample("jane"), Cancel);
        Assert.NotNull(await Store.Site(ISiteStore.DefaultName).Accounts.FindAsync("jane", Cancel));
        Assert.Equal("default", Store.Site(ISiteStore.DefaultName).Name);
    }

    [Fact]
    public async Task A_message_carries_its_site_and_the_queue_can_be_filtered_by_it()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), []);
        await Spool.KeepAsync(2, Record("a@example.com") with { Site = "acme" }, []);
        await Spool.KeepAsync(3, Record("a@example.com") with { Site = "acme", HoldReason = "x" }, []);
        Assert.Equal("default", (await Spool.FindAsync(Id(1), Cancel))!.Record.Site);
        Assert.Equal("acme", (await Spool.FindAsync(Id(2), Cancel))!.Record.Site);
        Assert.Equal(["0002", "0003"], Ids(await Spool.ListAsync(new QueueFilter(Site: "acme"), Cancel)));
        Assert.Equal(["0002"], Ids(await Spool.ListAsync(new QueueFilter(RecipientState.Due, Site: "acme"), Cancel)));
        Assert.Equal(["0001"], Ids(await Spool.ListAsync(new QueueFilter(Site: "default"), Cancel)));
        Assert.Empty(await Spool.ListAsync(new QueueFilter(Site: "nobody"), Cancel));
        Assert.Equal(["default", "acme"], (await Spool.ClaimDueAsync(Now, 10, Cancel)).Select(message => message.Record.Site));
    }

    [Fact]
    public async Task A_key_is_made_once_whoever_asks_and_for_each_site()
    {
        var made = 0;
        byte[] Make() => [(byte)Interlocked.Increment(ref made), 7];
        var keys = Store.Site("acme").Keys;
        var asked = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            Task.Run(async () => await keys.GetOrAddAsync("k", Make, Cancel), Cancel)));
        Assert.All(asked, key => Assert.Equal(asked[0], key));
        Assert.Equal(asked[0], await Store.Site("acme").Keys.GetOrAddAsync("k", () => throw new InvalidOperationException(), Cancel));
        Assert.NotEqual(asked[0], await Store.Site("other").Keys.GetOrAddAsync("k", Make, Cancel));
        Assert.NotEqual(asked[0], await keys.GetOrAddAsync("k2", Make, Cancel));
    }
}
