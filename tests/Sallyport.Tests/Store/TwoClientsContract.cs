using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>What every store does when two nodes have it open. A store of several processes runs the same tests.</summary>
public abstract class TwoClientsContract : SitesContract
{
    private IStore? _other;

    /// <summary>A second client of the store that is open, with a node of its own.</summary>
    protected IStore Other => _other!;

    protected abstract Task<IStore> ConnectAsync(string node);

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _other = await ConnectAsync("other");
    }

    public override async ValueTask DisposeAsync()
    {
        await Other.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_claim_of_one_node_is_never_given_to_the_other()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), [], claim: true);
        await Spool.KeepAsync(2, Record("b@example.com"), []);
        var mine = Assert.Single(await Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.Empty(await Other.Spool.ClaimDueAsync(Now, 10, Cancel));
        await Other.Spool.KeepAsync(3, Record("c@example.com"), [], claim: true);
        Assert.Empty(await Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.NotEqual(mine.Claim, (await ClaimOfOtherAsync()).Claim);
    }

    [Fact]
    public async Task Of_what_many_claim_on_two_nodes_each_message_goes_to_one()
    {
        for (var i = 1; i <= 40; i++)
        {
            await Spool.KeepAsync(i, Record("a@example.com"), []);
        }

        var claims = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            Task.Run(async () => await (i % 2 == 0 ? Spool : Other.Spool).ClaimDueAsync(Now, 10, Cancel), Cancel)));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => $"{i:D4}"), claims.SelectMany(claim => Ids(claim)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task When_a_lease_has_run_out_the_other_gets_the_mail_and_the_late_outcome_is_lost()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), Body(10), claim: true);
        Time.Advance(NodeLease.Duration);
        var taken = Assert.Single(await Other.Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.Equal("0 InProgress, 1 InProgress", States(taken));
        Assert.NotEqual(FirstClaim, taken.Claim);
        var late = await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed)], [Report(2)], Cancel);
        Assert.Equal([Outcome(1, 0, RecipientState.Relayed)], late.Lost);
        Assert.Empty(late.Recorded);
        Assert.Null(await Spool.FindAsync(Id(2), Cancel));
        var done = await Other.Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed, claim: taken.Claim)], [], Cancel);
        Assert.Empty(done.Lost);
        Assert.Equal("0 Relayed, 1 InProgress", States(await Spool.FindAsync(Id(1), Cancel)));
    }

    [Fact]
    public async Task A_lease_that_is_renewed_does_not_run_out()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), [], claim: true);
        for (var i = 0; i < 10; i++)
        {
            Time.Advance(NodeLease.RenewedEvery);
            Assert.True(await Spool.RenewAsync(Cancel));
        }

        Assert.Empty(await Other.Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.Empty((await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed)], [], Cancel)).Lost);
    }

    [Fact]
    public async Task A_lease_that_ran_out_while_nobody_wanted_it_is_still_good()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), [], claim: true);
        Time.Advance(NodeLease.Duration * 10);
        Assert.Empty(await Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.True(await Spool.RenewAsync(Cancel));
        Assert.Empty((await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed)], [], Cancel)).Lost);
    }

    [Fact]
    public async Task A_node_that_lost_its_lease_gets_another_and_claims_with_that()
    {
        Time.Advance(NodeLease.Duration);
        await Other.Spool.ClaimDueAsync(Now, 10, Cancel);
        var kept = Assert.IsType<CommitResult.Durable>(await Spool.KeepAsync(1, Record("a@example.com"), [], claim: true)).Message;
        Assert.Equal("0 Due", States(kept)); // not in progress for a node that others take for dead
        Assert.Equal(ClaimToken.None, kept.Claim);
        Assert.False(await Spool.RenewAsync(Cancel));
        Assert.True(await Spool.RenewAsync(Cancel));
        var claimed = Assert.Single(await Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.True(claimed.Claim.Value > FirstClaim.Value);
        Assert.Empty((await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed, claim: claimed.Claim)], [], Cancel)).Lost);
        Assert.Null(await Spool.FindAsync(Id(1), Cancel));
    }

    [Fact]
    public async Task A_node_that_lost_its_lease_can_claim_at_once()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), []);
        Time.Advance(NodeLease.Duration);
        Assert.Empty(await Other.Spool.ClaimDueAsync(DateTimeOffset.UnixEpoch, 10, Cancel));
        Assert.NotEqual(FirstClaim, Assert.Single(await Spool.ClaimDueAsync(Now, 10, Cancel)).Claim);
    }

    [Fact]
    public async Task What_one_releases_the_other_may_claim_but_only_the_claimer_releases()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), [], claim: true);
        await Spool.KeepAsync(2, Record("c@example.com"), [], claim: true);
        await Other.Spool.ReleaseClaimsAsync([new(Id(1), new ClaimToken(99), [0, 1])], Cancel);
        Assert.Empty(await Other.Spool.ClaimDueAsync(Now, 10, Cancel));
        await Spool.ReleaseClaimsAsync([new(Id(1), FirstClaim, [1]), new(Id(2), FirstClaim, [0]), new(Id(9), FirstClaim, [0])], Cancel);
        Assert.Equal(["1 InProgress", "0 InProgress"], (await Other.Spool.ClaimDueAsync(Now, 10, Cancel)).Select(States));
        Assert.Equal((0L, 3L), await DueAndInProgressAsync());
    }

    [Fact]
    public async Task A_node_that_ends_leaves_nothing_in_progress()
    {
        await Other.Spool.KeepAsync(1, Record("a@example.com"), [], claim: true);
        await Other.DisposeAsync();
        Assert.Equal((1L, 0L), await DueAndInProgressAsync());
        Assert.Single(await Spool.ClaimDueAsync(Now, 10, Cancel));
    }

    [Fact]
    public async Task A_node_that_comes_again_under_its_name_takes_over_its_own_claims_and_no_others()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), [], claim: true);
        await Other.Spool.KeepAsync(2, Record("b@example.com"), [], claim: true);
        await using var again = await ConnectAsync("other"); // the first "other" crashed
        Assert.Equal((1L, 1L), await DueAndInProgressAsync());
        Assert.Equal(["0002"], Ids(await again.Spool.ClaimDueAsync(Now, 10, Cancel)));
    }

    [Fact]
    public async Task Two_nodes_that_make_a_key_at_once_have_the_same()
    {
        var made = 0;
        byte[] Make() => [(byte)Interlocked.Increment(ref made)];
        var keys = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(
            async () => await (i % 2 == 0 ? Store : Other).Site("acme").Keys.GetOrAddAsync("key", Make, Cancel), Cancel)));
        Assert.All(keys, key => Assert.Equal(keys[0], key));
    }

    [Fact]
    public async Task What_one_changes_of_an_account_the_other_sees()
    {
        await Store.Accounts.AddAsync(Sample("jane"), Cancel);
        Assert.False((await Other.Accounts.FindAsync("jane", Cancel))!.Disabled);
        await Other.Accounts.SetDisabledAsync("jane", true, Cancel);
        Assert.True((await Store.Accounts.FindAsync("jane", Cancel))!.Disabled);
        await Store.Accounts.RemoveAsync("jane", Cancel);
        Assert.Null(await Other.Accounts.FindAsync("jane", Cancel));
    }

    private async Task<SpooledMessage> ClaimOfOtherAsync()
    {
        await Other.Spool.KeepAsync(20, Record("z@example.com"), []);
        return Assert.Single(await Other.Spool.ClaimDueAsync(Now, 10, Cancel));
    }

    private async Task<(long Due, long InProgress)> DueAndInProgressAsync()
    {
        var totals = await Spool.TotalsAsync(Cancel);
        return (totals.Due, totals.InProgress);
    }
}
