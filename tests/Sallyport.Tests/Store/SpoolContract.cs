using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>What every spool does. The twin in memory is only worth something when it does the same as the one on disk.</summary>
public abstract class SpoolContract : IAsyncLifetime
{
    private IStore? _store;

    protected IStore Store => _store!;

    protected ISpool Spool => Store.Spool;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected abstract Task<IStore> OpenAsync();

    public virtual async ValueTask InitializeAsync() => _store = await OpenAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(262_144)]
    [InlineData(262_145)]
    [InlineData(393_216)]
    [InlineData(3 * 1024 * 1024)]
    public async Task Content_comes_back_as_it_was_given(int length)
    {
        var body = Body(length);
        var kept = Assert.IsType<CommitResult.Durable>(await Spool.KeepAsync(1, Record("bob@example.com"), body));
        Assert.Equal(Header.Length + length, kept.Message.ContentBytes);
        Assert.Equal(Whole(length), await Spool.ReadAsync(1, Cancel));
        Assert.Equal(Header.Length + length, (await Spool.TotalsAsync(Cancel)).Bytes);
    }

    [Fact]
    public async Task Everything_known_of_a_message_comes_back()
    {
        var record = new MessageRecord(
            new Envelope(new ReversePath(Box("jürgen@bücher.example")),
                [new(new ForwardPath(Box("\"Bob Smith\"@[192.0.2.1]")), DsnNotify.Success | DsnNotify.Delay, "rfc822;bob+x@example.com"),
                    new(new ForwardPath(Box("用户@例え.jp")), DsnNotify.Never, null)],
                BodyType.EightBitMime, true, "QQ314159", DsnReturn.Headers),
            Now.AddMicroseconds(1), "jürgen", "SESSION1", "2001:db8::7", "<1@laptop>")
        {
            HasEightBit = true,
            HasUtf8Header = true,
            HoldReason = "policy",
        };
        await Spool.KeepAsync(1, record, []);
        var found = (await Spool.FindAsync(Id(1), Cancel))!;
        Assert.Equal(Id(1), found.Id);
        Assert.Equal(record with { Envelope = found.Record.Envelope }, found.Record);
        Assert.Equal(record.Envelope with { Recipients = found.Record.Envelope.Recipients }, found.Record.Envelope);
        Assert.Equal(record.Envelope.Recipients.AsEnumerable(), found.Record.Envelope.Recipients);
        Assert.Equal(record.Envelope.Recipients.Select((r, i) =>
                new SpooledRecipient(i, r.Path, r.Notify, r.OriginalRecipient, RecipientState.Held, 0, record.ReceivedAt, "", false)),
            found.Recipients);
    }

    [Fact]
    public async Task The_null_reverse_path_stays_null()
    {
        var record = Record("bob@example.com");
        await Spool.KeepAsync(1, record with { Envelope = record.Envelope with { ReversePath = ReversePath.Null } }, []);
        Assert.True((await Spool.FindAsync(Id(1), Cancel))!.Record.Envelope.ReversePath.IsNull);
    }

    [Fact]
    public async Task Before_the_commit_nothing_is_visible_and_without_it_nothing_is_left()
    {
        await using (var submission = Spool.Begin(Id(1)))
        {
            await submission.WriteAsync(Body(1024 * 1024), Cancel);
            Assert.Null(await Spool.FindAsync(Id(1), Cancel));
            Assert.Null(await Spool.OpenContentAsync(Id(1), Cancel));
            Assert.Equal(0, (await Spool.TotalsAsync(Cancel)).Messages);
        }

        Assert.Empty(await Spool.ListAsync(new QueueFilter(), Cancel));
        Assert.IsType<CommitResult.Durable>(await Spool.KeepAsync(1, Record("bob@example.com"), Body(10)));
        Assert.Equal(Whole(10), await Spool.ReadAsync(1, Cancel));
    }

    [Fact]
    public async Task A_message_kept_with_its_claim_is_in_progress_and_need_not_be_read_back()
    {
        var kept = Assert.IsType<CommitResult.Durable>(await Spool.KeepAsync(1, Record("bob@example.com"), Body(100), claim: true)).Message;
        Assert.Equal(Whole(100), kept.Content!.Value.ToArray());
        Assert.Equal("0 InProgress", States(kept));
        Assert.Equal("0 InProgress", States(await Spool.FindAsync(Id(1), Cancel)));
        Assert.Empty(await Spool.ClaimDueAsync(Now.AddDays(1), 10, Cancel));
        Assert.Null(await Spool.NextDueAsync(Cancel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_commit_nobody_waited_for_is_taken_back(bool claim)
    {
        await using var submission = Spool.Begin(Id(1));
        await submission.WriteAsync(Body(1024 * 1024), Cancel);
        Assert.IsType<CommitResult.Durable>(await submission.CommitAsync(Record("bob@example.com"), Header, claim, Cancel));
        Assert.True(await submission.WithdrawAsync());
        Assert.Null(await Spool.FindAsync(Id(1), Cancel));
        Assert.Empty(await Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.Equal(0, (await Spool.TotalsAsync(Cancel)).Recipients);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_the_relay_has_already_is_not_taken_back(bool settled)
    {
        await using var submission = Spool.Begin(Id(1));
        Assert.IsType<CommitResult.Durable>(await submission.CommitAsync(Record("bob@example.com", "carol@example.com"), Header, false, Cancel));
        await Spool.ClaimDueAsync(Now, 10, Cancel);
        if (settled)
        {
            await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed), Outcome(1, 1, RecipientState.Due)], [], Cancel);
        }

        Assert.False(await submission.WithdrawAsync());
        Assert.NotNull(await Spool.FindAsync(Id(1), Cancel));
    }

    [Fact]
    public async Task A_message_held_from_the_start_is_not_for_the_relay_though_it_asked_for_its_claim()
    {
        var kept = Assert.IsType<CommitResult.Durable>(
            await Spool.KeepAsync(1, Record("bob@example.com") with { HoldReason = "policy" }, Body(100), claim: true)).Message;
        Assert.Equal("0 Held", States(kept));
        Assert.Null(kept.Content);
        var handoff = new Handoff(1, 1000);
        handoff.Committed(kept, handoff.TryReserve(1000)!);
        Assert.False(handoff.Accepted.TryRead(out _));
        Assert.False(handoff.Due.TryRead(out _));
        Assert.NotNull(handoff.TryReserve(1000)); // the room is back
    }

    [Fact]
    public async Task A_message_kept_without_a_claim_is_due_at_once()
    {
        var kept = Assert.IsType<CommitResult.Durable>(await Spool.KeepAsync(1, Record("bob@example.com"), [])).Message;
        Assert.Null(kept.Content);
        Assert.Equal(Now, await Spool.NextDueAsync(Cancel));
        Assert.Empty(await Spool.ClaimDueAsync(Now.AddMicroseconds(-1), 10, Cancel));
        var claimed = Assert.Single(await Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.Equal("0 InProgress", States(claimed));
        Assert.Empty(await Spool.ClaimDueAsync(Now, 10, Cancel));
    }

    [Fact]
    public async Task Claims_go_to_the_oldest_attempt_times_first_and_stop_at_the_number_asked_for()
    {
        for (var i = 1; i <= 4; i++)
        {
            await Spool.KeepAsync(i, Record("bob@example.com") with { ReceivedAt = Now.AddSeconds(-i) }, []);
        }

        Assert.Equal(["0004", "0003"], Ids(await Spool.ClaimDueAsync(Now, 2, Cancel)));
        Assert.Equal(["0002", "0001"], Ids(await Spool.ClaimDueAsync(Now, 2, Cancel)));
    }

    [Fact]
    public async Task Only_the_recipients_that_are_due_are_claimed()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com", "c@example.com"), [], claim: true);
        await Spool.RecordAsync([Outcome(1, 0, RecipientState.Due, "450 4.2.0 later"), Outcome(1, 1, RecipientState.Relayed)], [], Cancel);
        await Spool.ReleaseClaimAsync(Id(1), [2], Cancel);
        Assert.Equal("0 Due, 1 Relayed, 2 Due", States(await Spool.FindAsync(Id(1), Cancel)));
        var claimed = Assert.Single(await Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.Equal("2 InProgress", States(claimed));
        Assert.Equal("<c@example.com>", Assert.Single(claimed.Record.Envelope.Recipients).Path.ToString());
        Assert.Equal(Now.AddMinutes(10), await Spool.NextDueAsync(Cancel));
        claimed = Assert.Single(await Spool.ClaimDueAsync(Now.AddMinutes(10), 10, Cancel));
        Assert.Equal("0 InProgress", States(claimed));
        Assert.Equal((1, "450 4.2.0 later"), (claimed.Recipients[0].Attempts, claimed.Recipients[0].LastReply));
    }

    [Fact]
    public async Task A_released_claim_is_due_again_and_no_attempt()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), [], claim: true);
        await Spool.ReleaseClaimAsync(Id(1), [1], Cancel);
        await Spool.ReleaseClaimAsync(Id(99), [0], Cancel);
        Assert.Equal("0 InProgress, 1 Due", States(await Spool.FindAsync(Id(1), Cancel)));
        var claimed = Assert.Single(await Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.Equal(0, Assert.Single(claimed.Recipients).Attempts);
    }

    [Fact]
    public async Task An_outcome_is_recorded_as_it_was()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), [], claim: true);
        await Spool.RecordAsync(
            [new(Id(1), 0, RecipientState.Due, Now.AddHours(1), "451 4.7.1 greylisted", DelayReported: true) { Claim = FirstClaim },
                new(Id(1), 1, RecipientState.Held, Now, "no route", DelayReported: false, CountsAsAttempt: false) { Claim = FirstClaim }],
            [],
            Cancel);
        var rows = (await Spool.FindAsync(Id(1), Cancel))!.Recipients;
        Assert.Equal((RecipientState.Due, 1, Now.AddHours(1), "451 4.7.1 greylisted", true),
            (rows[0].State, rows[0].Attempts, rows[0].NextAttemptAt, rows[0].LastReply, rows[0].DelayReported));
        Assert.Equal((RecipientState.Held, 0, "no route", false), (rows[1].State, rows[1].Attempts, rows[1].LastReply, rows[1].DelayReported));
    }

    [Fact]
    public async Task An_outcome_of_what_is_not_in_progress_changes_nothing()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), []);
        RecipientOutcome[] outcomes =
            [Outcome(1, 0, RecipientState.Relayed), Outcome(1, 7, RecipientState.Relayed), Outcome(99, 0, RecipientState.Failed)];
        var result = await Spool.RecordAsync(outcomes, [Report(2)], Cancel);
        Assert.Empty(result.Recorded);
        Assert.Equal(outcomes, result.Lost);
        Assert.Null(await Spool.FindAsync(Id(2), Cancel)); // the report of an outcome that does not count would be a lie
        Assert.Equal("0 Due", States(await Spool.FindAsync(Id(1), Cancel)));
    }

    [Fact]
    public async Task A_long_reply_is_cut_at_2_KiB()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), [], claim: true);
        await Spool.RecordAsync([Outcome(1, 0, RecipientState.Due, new string('x', 5000))], [], Cancel);
        Assert.Equal(2048, (await Spool.FindAsync(Id(1), Cancel))!.Recipients[0].LastReply.Length);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1024 * 1024)]
    public async Task When_the_last_recipient_is_settled_the_message_is_gone(int length)
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), Body(length), claim: true);
        await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed)], [], Cancel);
        Assert.Equal("0 Relayed, 1 InProgress", States(await Spool.FindAsync(Id(1), Cancel)));
        await Spool.RecordAsync([Outcome(1, 1, RecipientState.Failed, "550 5.1.1 unknown")], [Report(2)], Cancel);
        Assert.Null(await Spool.FindAsync(Id(1), Cancel));
        Assert.Null(await Spool.OpenContentAsync(Id(1), Cancel));
        Assert.Equal("Subject: report\r\n\r\ntext\r\n", Encoding.ASCII.GetString((await Spool.ReadAsync(2, Cancel))!));
        Assert.Equal("0 Due", States(await Spool.FindAsync(Id(2), Cancel)));
        var totals = await Spool.TotalsAsync(Cancel);
        Assert.Equal((1L, 1L), (totals.Messages, totals.Recipients));
    }

    [Fact]
    public async Task A_content_reader_of_a_small_message_outlives_it()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), Body(100), claim: true);
        await using var reader = (await Spool.OpenContentAsync(Id(1), Cancel))!;
        await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed)], [], Cancel);
        Assert.Equal(Whole(100), (await reader.ReadAsync(Cancel)).ToArray());
    }

    [Fact]
    public async Task Many_sessions_may_commit_at_once()
    {
        var results = await Task.WhenAll(Enumerable.Range(1, 200)
            .Select(i => Task.Run(() => Spool.KeepAsync(i, Record("bob@example.com"), Body(i)), Cancel)));
        Assert.All(results, result => Assert.IsType<CommitResult.Durable>(result));
        Assert.Equal(200, (await Spool.TotalsAsync(Cancel)).Messages);
        Assert.Equal(Whole(137), await Spool.ReadAsync(137, Cancel));
    }

    [Fact]
    public async Task No_recipient_is_claimed_twice_when_many_claim_at_once()
    {
        for (var i = 1; i <= 50; i++)
        {
            await Spool.KeepAsync(i, Record("a@example.com"), []);
        }

        var claims = await Task.WhenAll(Enumerable.Range(0, 10)
            .Select(_ => Task.Run(async () => await Spool.ClaimDueAsync(Now, 20, Cancel), Cancel)));
        var ids = claims.SelectMany(claim => Ids(claim)).ToList();
        Assert.Equal(50, ids.Count);
        Assert.Equal(50, ids.Distinct().Count());
    }
}
