using CsCheck;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;
using Sallyport.Server.Reporting;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>What a verdict means, without a network: state, next attempt, report.</summary>
public sealed class SettlementTests
{
    private static readonly RelayOptions Options = new();
    private static readonly Reply Busy = new(450, new(4, 2, 1), "Busy");

    [Theory]
    [InlineData(1, 0.0, 54)]
    [InlineData(1, 0.5, 60)]
    [InlineData(1, 1.0, 66)]
    [InlineData(2, 0.5, 120)]
    [InlineData(3, 0.5, 240)]
    [InlineData(7, 0.5, 3840)]
    [InlineData(8, 0.5, 7200)]
    [InlineData(1000, 0.5, 7200)]
    [InlineData(1000, 1.0, 7920)]
    public void Waits_double_from_a_minute_to_two_hours_with_a_jitter_of_a_tenth(int attempts, double jitter, int seconds) =>
        Assert.Equal(Now.AddSeconds(seconds), RetrySchedule.Next(attempts, Now, Now, Options, jitter));

    [Fact]
    public void The_last_attempt_is_at_the_end_of_the_time_and_none_behind_it()
    {
        var end = Now.AddDays(5);
        Assert.Equal(end, RetrySchedule.Next(50, Now, end.AddMinutes(-90), Options, 0.5));
        Assert.Equal(end, RetrySchedule.Next(50, Now, end.AddTicks(-1), Options, 0.5));
        Assert.Null(RetrySchedule.Next(50, Now, end, Options, 0.5));
        Assert.Null(RetrySchedule.Next(1, Now, end.AddDays(1), Options, 0.5));
    }

    [Fact]
    public void An_attempt_is_never_in_the_past_and_never_behind_the_end() =>
        Gen.Select(Gen.Int[1, 100_000], Gen.Double[0, 1], Gen.Int[0, 432_000 - 1], Gen.Double[1, 10])
            .Sample((attempts, jitter, age, factor) =>
            {
                var now = Now.AddSeconds(age);
                var next = RetrySchedule.Next(attempts, Now, now, Options with { RetryFactor = factor }, jitter);
                Assert.InRange(next!.Value, now.AddTicks(1), Now.AddDays(5));
            });

    [Theory]
    [InlineData(VerdictKind.Relayed, RecipientState.Relayed, null)]
    [InlineData(VerdictKind.Failed, RecipientState.Failed, ReportKind.Failed)]
    [InlineData(VerdictKind.Deferred, RecipientState.Due, null)]
    [InlineData(VerdictKind.Overflow, RecipientState.Due, null)]
    public void Each_verdict_has_its_state(VerdictKind kind, RecipientState state, ReportKind? report)
    {
        var settled = Settle(new RelayVerdict(0, kind, Busy), Now);
        Assert.Equal((state, report), (settled.Outcome.State, settled.Report));
        Assert.Equal("450 4.2.1 Busy", settled.Outcome.Reply);
        Assert.Equal(kind != VerdictKind.Overflow, settled.Outcome.CountsAsAttempt);
    }

    [Fact]
    public void An_overflow_is_due_at_once() =>
        Assert.Equal(Now, Settle(new RelayVerdict(0, VerdictKind.Overflow, Busy), Now).Outcome.NextAttemptAt);

    [Fact]
    public void An_overflow_expires_like_any_other()
    {
        var settled = Settle(new RelayVerdict(0, VerdictKind.Overflow, Busy), Now.AddDays(5));
        Assert.Equal((RecipientState.Failed, true), (settled.Outcome.State, settled.IsLocal));
    }

    [Fact]
    public void What_a_capturing_route_keeps_is_delivered()
    {
        var (message, recipient) = Message();
        var kept = new RelayVerdict(0, VerdictKind.Relayed, new Reply(250, null, "Kept")) { IsLocal = true };
        Assert.Equal(ReportKind.Delivered,
            Settlement.Settle(message, recipient with { Notify = DsnNotify.Success }, kept, Now, Options, 0, hopReports: false).Report);
        Assert.Null(Settlement.Settle(message, recipient, kept, Now, Options, 0, hopReports: false).Report);
    }

    [Fact]
    public void A_host_known_to_be_down_costs_no_attempt()
    {
        var (message, recipient) = Message(attempts: 3);
        var settled = Settlement.Settle(message, recipient, Deferred, Now, Options, 0.5, untriedUntil: Now.AddSeconds(30));
        Assert.False(settled.Outcome.CountsAsAttempt);
        Assert.Equal(Now.AddSeconds(31), settled.Outcome.NextAttemptAt); // when it may be asked again, not the four minutes of a fourth attempt
    }

    [Theory]
    [InlineData(239, false, false)]
    [InlineData(240, false, true)]
    [InlineData(241, true, false)]
    public void The_delay_is_told_once_from_four_hours_on(int minutes, bool told, bool report)
    {
        var (message, recipient) = Message();
        var settled = Settlement.Settle(message, recipient with { DelayReported = told }, Deferred, Now.AddMinutes(minutes), Options, 0.5);
        Assert.Equal(report ? ReportKind.Delayed : null, settled.Report);
        Assert.Equal(told || report, settled.Outcome.DelayReported);
    }

    [Fact]
    public void A_delay_nobody_wants_to_hear_of_is_not_weighed_again_at_each_attempt()
    {
        var (message, recipient) = Message();
        var settled = Settlement.Settle(message, recipient with { Notify = DsnNotify.Failure }, Deferred, Now.AddHours(5), Options, 0.5);
        Assert.Null(settled.Report);
        Assert.True(settled.Outcome.DelayReported);
    }

    [Theory]
    [InlineData(120, "554 5.4.7 Given up after 5 days; the last answer was: 450 4.2.1 Busy")]
    [InlineData(132, "554 5.4.7 Given up after 5.5 days; the last answer was: 450 4.2.1 Busy")]
    public void When_the_time_is_up_it_fails_and_says_so(int hours, string reply)
    {
        var settled = Settle(Deferred, Now.AddHours(hours));
        Assert.Equal((RecipientState.Failed, ReportKind.Failed, reply), (settled.Outcome.State, settled.Report!.Value, settled.Outcome.Reply));
    }

    [Fact]
    public void A_success_is_told_only_for_a_hop_that_will_not_and_only_to_who_asked()
    {
        var (message, recipient) = Message();
        var relayed = new RelayVerdict(0, VerdictKind.Relayed, new Reply(250, null, "Ok"));
        var asked = recipient with { Notify = DsnNotify.Success };
        Assert.Equal(ReportKind.Relayed, Settlement.Settle(message, asked, relayed, Now, Options, 0, hopReports: false).Report);
        Assert.Null(Settlement.Settle(message, asked, relayed, Now, Options, 0, hopReports: true).Report);
        Assert.Null(Settlement.Settle(message, recipient, relayed, Now, Options, 0, hopReports: false).Report);
    }

    [Fact]
    public void A_reply_of_any_length_is_kept_within_its_limit()
    {
        var lines = Enumerable.Repeat(new string('x', 4000), 200);
        var settled = Settle(new RelayVerdict(0, VerdictKind.Failed, new Reply(550, new(5, 7, 1), [.. lines])), Now);
        Assert.InRange(settled.Outcome.Reply.Length, 2000, 2048);
        Assert.StartsWith("550-5.7.1 xxx", settled.Outcome.Reply, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DsnNotify.Unspecified, true, true, false)]
    [InlineData(DsnNotify.Never, false, false, false)]
    [InlineData(DsnNotify.Success, false, false, true)]
    [InlineData(DsnNotify.Failure, true, false, false)]
    [InlineData(DsnNotify.Delay, false, true, false)]
    [InlineData(DsnNotify.Success | DsnNotify.Failure | DsnNotify.Delay, true, true, true)]
    public void A_report_is_owed_as_NOTIFY_says_and_never_to_the_null_path(DsnNotify notify, bool failed, bool delayed, bool relayed)
    {
        var (message, recipient) = Message();
        recipient = recipient with { Notify = notify };
        var report = message.Record with { Envelope = message.Record.Envelope with { ReversePath = ReversePath.Null } };
        foreach (var (kind, owed) in new[] { (ReportKind.Failed, failed), (ReportKind.Delayed, delayed), (ReportKind.Relayed, relayed) })
        {
            Assert.Equal(owed, ReportPolicy.IsOwed(message.Record, recipient, kind));
            Assert.False(ReportPolicy.IsOwed(report, recipient, kind));
        }
    }

    private static RelayVerdict Deferred => new(0, VerdictKind.Deferred, Busy);

    private static Settled Settle(RelayVerdict verdict, DateTimeOffset now)
    {
        var (message, recipient) = Message();
        return Settlement.Settle(message, recipient, verdict, now, Options, 0.5);
    }

    private static (SpooledMessage Message, SpooledRecipient Recipient) Message(int attempts = 0)
    {
        var record = Record("a@x.test");
        var recipient = new SpooledRecipient(
            0, record.Envelope.Recipients[0].Path, DsnNotify.Unspecified, null, RecipientState.InProgress, attempts, Now, "", false);
        return (new SpooledMessage(Id(1), record, 100, [recipient]), recipient);
    }
}
