using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>What every spool does with what is held, many messages at a time.</summary>
public abstract class HeldContract : OperatorContract
{
    [Fact]
    public async Task What_is_held_is_grouped_by_login_and_reason()
    {
        await Spool.KeepAsync(1, Of("jane", "a@example.com", "b@example.com") with { ReceivedAt = Now.AddHours(-2), HoldReason = "tripped" }, []);
        await Spool.KeepAsync(2, Of("jane", "c@example.com") with { HoldReason = "tripped" }, []);
        await Spool.KeepAsync(3, Of("jane", "d@example.com") with { HoldReason = "by the operator" }, []);
        await Spool.KeepAsync(4, Of("bob", "e@example.com"), []);
        await Spool.KeepAsync(5, Of("carol", "1@x.test", "2@x.test", "3@x.test", "4@x.test", "5@x.test", "6@x.test") with { HoldReason = "odd" }, []);
        var groups = await Spool.HeldAsync(null, 10, Cancel);
        Assert.Equal(
            ["jane tripped 2 3", "carol odd 1 6", "jane by the operator 1 1"],
            groups.Select(group => $"{group.Login} {group.Reason} {group.Messages} {group.Recipients}"));
        Assert.Equal((Now.AddHours(-2), Now), (groups[0].Oldest, groups[0].Newest));
        Assert.Equal(["a@example.com", "b@example.com", "c@example.com"], groups[0].Samples.Select(sample => sample.Recipient));
        Assert.All(groups[0].Samples, sample => Assert.Equal("jane@acme.test", sample.Sender));
        Assert.Equal(HeldGroup.SamplesMax, groups[1].Samples.Length);
        Assert.Equal(["carol"], (await Spool.HeldAsync("carol", 10, Cancel)).Select(group => group.Login));
        Assert.Equal(["jane"], (await Spool.HeldAsync(null, 1, Cancel)).Select(group => group.Login));
        Assert.Empty(await Spool.HeldAsync("bob", 10, Cancel));
    }

    [Fact]
    public async Task All_that_is_due_of_a_login_is_held_at_once_and_what_is_in_progress_is_left()
    {
        await Spool.KeepAsync(1, Of("jane", "a@example.com", "b@example.com"), [], claim: true);
        await Spool.ReleaseClaimAsync(Id(1), [1], Cancel);
        await Spool.KeepAsync(2, Of("jane", "c@example.com"), []);
        await Spool.KeepAsync(3, Of("bob", "d@example.com"), []);
        await Spool.KeepAsync(4, Of("jane", "e@example.com"), [], claim: true);
        Assert.Equal(new BulkChange(2, 2), await Spool.HoldDueOfAsync("jane", "tripped", Cancel));
        Assert.Equal(
            ["0 InProgress, 1 Held", "0 Held", "0 Due", "0 InProgress"],
            (await Spool.ListAsync(new QueueFilter(), Cancel)).Select(States));
        Assert.Equal("tripped", (await Spool.FindAsync(Id(1), Cancel))!.Record.HoldReason);
        Assert.Null((await Spool.FindAsync(Id(4), Cancel))!.Record.HoldReason);
        Assert.Equal(new BulkChange(0, 0), await Spool.HoldDueOfAsync("jane", "tripped", Cancel));
    }

    [Fact]
    public async Task What_is_held_of_a_login_is_released_some_at_a_time()
    {
        for (var i = 1; i <= 5; i++)
        {
            await Spool.KeepAsync(i, Of("jane", "a@example.com", "b@example.com") with { HoldReason = "tripped" }, []);
        }

        await Spool.KeepAsync(6, Of("bob", "c@example.com") with { HoldReason = "odd" }, []);
        Assert.Equal(new BulkChange(3, 6), await Spool.ReleaseHeldOfAsync("jane", 3, Cancel));
        Assert.Equal(["0001", "0002", "0003"], Ids(await Spool.ListAsync(new QueueFilter(State: RecipientState.Due), Cancel)));
        Assert.Null((await Spool.FindAsync(Id(1), Cancel))!.Record.HoldReason);
        Assert.Equal(new BulkChange(2, 4), await Spool.ReleaseHeldOfAsync("jane", 3, Cancel));
        Assert.Equal(new BulkChange(0, 0), await Spool.ReleaseHeldOfAsync("jane", 3, Cancel));
        Assert.Equal(5, (await Spool.ClaimDueAsync(DateTimeOffset.UnixEpoch, 10, Cancel)).Count);
        Assert.Equal(["0006"], Ids(await Spool.ListAsync(new QueueFilter(State: RecipientState.Held), Cancel)));
        Assert.Equal(new BulkChange(1, 1), await Spool.ReleaseHeldOfAsync(null, 3, Cancel));
    }

    [Fact]
    public async Task What_is_held_of_a_login_is_removed_but_not_from_under_the_relay()
    {
        await Spool.KeepAsync(1, Of("jane", "a@example.com", "b@example.com") with { HoldReason = "tripped" }, Body(1024 * 1024));
        await Spool.KeepAsync(2, Of("jane", "c@example.com", "d@example.com"), [], claim: true);
        await Spool.ReleaseClaimAsync(Id(2), [0], Cancel);
        await Spool.HoldAsync(Id(2), "tripped", Cancel);
        await Spool.KeepAsync(3, Of("jane", "e@example.com"), []);
        await Spool.KeepAsync(4, Of("bob", "f@example.com") with { HoldReason = "odd" }, []);
        await Spool.KeepAsync(5, Of("jane", "g@example.com") with { HoldReason = "tripped" }, []);
        Assert.Equal(new BulkChange(1, 2), await Spool.RemoveHeldOfAsync("jane", 1, Cancel));
        Assert.Equal(new BulkChange(1, 1), await Spool.RemoveHeldOfAsync("jane", 10, Cancel));
        Assert.Equal(["0002", "0003", "0004"], Ids(await Spool.ListAsync(new QueueFilter(), Cancel)));
        Assert.Null(await Spool.ReadAsync(1, Cancel));
        Assert.Equal(new BulkChange(0, 0), await Spool.RemoveHeldOfAsync("jane", 10, Cancel));
        await Spool.RecordAsync([Outcome(2, 1, RecipientState.Relayed)], [], Cancel);
        Assert.Equal(new BulkChange(2, 2), await Spool.RemoveHeldOfAsync(null, 10, Cancel));
        Assert.Equal(["0003"], Ids(await Spool.ListAsync(new QueueFilter(), Cancel)));
    }

    private static MessageRecord Of(string login, params string[] recipients) => Record(recipients) with { Login = login };
}
