using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>What every spool shows the operator and does for them.</summary>
public abstract class OperatorContract : SpoolContract
{
    [Fact]
    public async Task Held_recipients_are_not_due_until_they_are_released()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), [], claim: true);
        await Spool.ReleaseClaimAsync(Id(1), [0], Cancel);
        Assert.Equal(1, await Spool.HoldAsync(Id(1), "asked by the operator", Cancel));
        Assert.Equal("0 Held, 1 InProgress", States(await Spool.FindAsync(Id(1), Cancel)));
        Assert.Equal("asked by the operator", (await Spool.FindAsync(Id(1), Cancel))!.Record.HoldReason);
        Assert.Null(await Spool.NextDueAsync(Cancel));
        Assert.Empty(await Spool.ClaimDueAsync(Now.AddYears(1), 10, Cancel));
        Assert.Equal(1, await Spool.ReleaseHeldAsync(Id(1), Cancel));
        Assert.Null((await Spool.FindAsync(Id(1), Cancel))!.Record.HoldReason);
        Assert.Equal("0 InProgress", States(Assert.Single(await Spool.ClaimDueAsync(DateTimeOffset.UnixEpoch, 10, Cancel))));
    }

    [Fact]
    public async Task A_hold_that_holds_nothing_gives_no_reason()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), [], claim: true);
        Assert.Equal(0, await Spool.HoldAsync(Id(1), "too late", Cancel));
        Assert.Null((await Spool.FindAsync(Id(1), Cancel))!.Record.HoldReason);
    }

    [Fact]
    public async Task A_message_may_be_held_from_the_start()
    {
        await Spool.KeepAsync(1, Record("a@example.com") with { HoldReason = "over the limit" }, [], claim: true);
        Assert.Equal("0 Held", States(await Spool.FindAsync(Id(1), Cancel)));
        Assert.Null(await Spool.NextDueAsync(Cancel));
        Assert.Equal(1, await Spool.ReleaseHeldAsync(Id(1), Cancel));
        Assert.Single(await Spool.ClaimDueAsync(Now, 10, Cancel));
    }

    [Fact]
    public async Task Retry_makes_waiting_recipients_due_now_and_leaves_the_others()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), [], claim: true);
        await Spool.RecordAsync([Outcome(1, 0, RecipientState.Due)], [], Cancel);
        Assert.Equal(1, await Spool.RetryNowAsync(Id(1), Now.AddMinutes(1), Cancel));
        Assert.Equal(Now.AddMinutes(1), await Spool.NextDueAsync(Cancel));
        Assert.Equal("0 InProgress", States(Assert.Single(await Spool.ClaimDueAsync(Now.AddMinutes(1), 10, Cancel))));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1024 * 1024)]
    public async Task Remove_takes_a_message_that_nobody_is_sending(int length)
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), Body(length), claim: true);
        await Spool.ReleaseClaimAsync(Id(1), [0], Cancel);
        Assert.False(await Spool.RemoveAsync(Id(1), Cancel));
        Assert.NotNull(await Spool.FindAsync(Id(1), Cancel));
        await Spool.ReleaseClaimAsync(Id(1), [1], Cancel);
        Assert.True(await Spool.RemoveAsync(Id(1), Cancel));
        Assert.Null(await Spool.FindAsync(Id(1), Cancel));
        Assert.Null(await Spool.NextDueAsync(Cancel));
        Assert.Equal(new SpoolTotals(0, 0, 0, 0, 0, 0, null), await Spool.TotalsAsync(Cancel));
    }

    [Fact]
    public async Task What_is_asked_of_an_unknown_message_is_done_for_none()
    {
        Assert.Equal(0, await Spool.HoldAsync(Id(9), "x", Cancel));
        Assert.Equal(0, await Spool.ReleaseHeldAsync(Id(9), Cancel));
        Assert.Equal(0, await Spool.RetryNowAsync(Id(9), Now, Cancel));
        Assert.False(await Spool.RemoveAsync(Id(9), Cancel));
        Assert.Null(await Spool.FindAsync(Id(9), Cancel));
    }

    [Fact]
    public async Task The_list_is_in_order_filtered_and_paged()
    {
        await Spool.KeepAsync(3, Record("carol@example.com"), []);
        await Spool.KeepAsync(1, Record("bob@example.com", "carol@example.com"), []);
        await Spool.KeepAsync(2, Record("bob_smith@example.com") with { Login = "sales" }, [], claim: true);
        var record = Record("100%@example.com");
        await Spool.KeepAsync(4, record with { Envelope = record.Envelope with { ReversePath = new(Box("sales@acme.test")) } }, []);
        await Spool.HoldAsync(Id(3), "x", Cancel);
        await ListsAsync(new QueueFilter(), "0001", "0002", "0003", "0004");
        await ListsAsync(new QueueFilter(MessagesMax: 2), "0001", "0002");
        await ListsAsync(new QueueFilter(After: Id(2), MessagesMax: 2), "0003", "0004");
        await ListsAsync(new QueueFilter(State: RecipientState.Due), "0001", "0004");
        await ListsAsync(new QueueFilter(State: RecipientState.InProgress), "0002");
        await ListsAsync(new QueueFilter(State: RecipientState.Held), "0003");
        await ListsAsync(new QueueFilter(Login: "sales"), "0002");
        await ListsAsync(new QueueFilter(Login: "sale"));
        await ListsAsync(new QueueFilter(Sender: "SALES@"), "0004");
        await ListsAsync(new QueueFilter(Recipient: "Carol"), "0001", "0003");
        await ListsAsync(new QueueFilter(Recipient: "%"), "0004");
        await ListsAsync(new QueueFilter(Recipient: "b_s"), "0002");
        await ListsAsync(new QueueFilter(Recipient: "bob", State: RecipientState.Due), "0001");
        Assert.Equal("0 Due, 1 Due", States((await Spool.ListAsync(new QueueFilter(), Cancel))[0]));
    }

    [Fact]
    public async Task The_totals_count_by_state()
    {
        Assert.Equal(new SpoolTotals(0, 0, 0, 0, 0, 0, null), await Spool.TotalsAsync(Cancel));
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com", "c@example.com") with { ReceivedAt = Now.AddHours(-1) },
            Body(10), claim: true);
        await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed)], [], Cancel);
        await Spool.KeepAsync(2, Record("d@example.com") with { HoldReason = "x" }, Body(20));
        await Spool.KeepAsync(3, Record("e@example.com"), []);
        Assert.Equal(new SpoolTotals(3, 5, 1, 2, 1, 30 + (3 * Header.Length), Now.AddHours(-1)), await Spool.TotalsAsync(Cancel));
    }

    private async Task ListsAsync(QueueFilter filter, params string[] ids) => Assert.Equal(ids, Ids(await Spool.ListAsync(filter, Cancel)));
}
