using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>Five days of a message's life, on a clock the test moves.</summary>
public sealed class RelayRetryTests : IAsyncDisposable
{
    private readonly ScriptedHop _hop = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _hop.DisposeAsync();

    [Fact]
    public async Task A_recipient_deferred_for_five_days_is_tried_by_the_schedule_warned_of_once_and_bounced_at_the_end()
    {
        _hop.Script = (_, command) => command == "RCPT TO:<busy@x.test>" ? "450 4.2.1 Busy" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "busy@x.test");
        var attempts = 0;
        while (true)
        {
            var settled = await SettledAsync(bench, ++attempts);
            Assert.Equal(attempts, settled.Attempts);
            if (settled.State == RecipientState.Failed)
            {
                Assert.Equal("554 5.4.7 Given up after 5 days; the last answer was: 450 4.2.1 Busy", settled.Reply);
                break;
            }

            AssertWait(attempts, bench, settled);
            await bench.PassToAsync(settled);
        }

        Assert.Equal(Now.AddDays(5), bench.Clock.GetUtcNow());
        Assert.InRange(attempts, 62, 75);
        await _hop.UntilAsync(hop => hop.Messages.Length == 2);
        var reports = bench.Log.Events.OfType<MailEvent.ReportKept>().ToList();
        Assert.Equal(["delayed", "failed"], reports.Select(report => report.Kind));
        Assert.All(_hop.Messages, message => Assert.StartsWith("MAIL FROM:<>", message.Mail, StringComparison.Ordinal));
        Assert.All(_hop.Messages, message => Assert.Equal(["RCPT TO:<jane@acme.test>"], message.Rcpt));
        Assert.Equal("Delayed mail: your message is still on its way", _hop.Messages[0].Parse().Subject);
        Assert.Equal("Undelivered mail: your message could not be delivered", _hop.Messages[1].Parse().Subject);
        Assert.Contains("text/rfc822-headers\r\n", _hop.Messages[0].Content, StringComparison.Ordinal);
        Assert.Contains("Subject: kept\r\n", _hop.Messages[0].Content, StringComparison.Ordinal);
        Assert.DoesNotContain("Hello\r\n", _hop.Messages[0].Content, StringComparison.Ordinal);
        Assert.Contains("Diagnostic-Code: smtp; 450 4.2.1 Busy\r\n", _hop.Messages[1].Content, StringComparison.Ordinal);
        Assert.EndsWith("Subject: kept\r\n\r\nHello\r\n", _hop.Messages[1].Content.Split("\r\n--")[^2], StringComparison.Ordinal);
        await bench.Log.UntilAsync(events => events.OfType<MailEvent.RecipientSettled>().Count(e => e.State == RecipientState.Relayed) == 2);
        Assert.Equal(0, (await bench.Spool.TotalsAsync(Cancel)).Messages);
    }

    [Fact]
    public async Task The_warning_comes_with_the_first_attempt_behind_its_time_and_not_again()
    {
        _hop.Script = (_, command) => command == "RCPT TO:<busy@x.test>" ? "450 4.2.1 Busy" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "busy@x.test");
        for (var attempt = 1; attempt < 12; attempt++)
        {
            var settled = await SettledAsync(bench, attempt);
            var late = bench.Clock.GetUtcNow() - Now >= TimeSpan.FromHours(4);
            Assert.Equal(late, (await bench.FindAsync(1))!.Recipients[0].DelayReported);
            await bench.PassToAsync(settled);
        }

        await _hop.UntilAsync(hop => hop.Messages.Length == 1);
        Assert.Single(bench.Log.Events.OfType<MailEvent.ReportKept>());
    }

    [Theory]
    [InlineData(DsnNotify.Never, 0)]
    [InlineData(DsnNotify.Success, 0)]
    [InlineData(DsnNotify.Failure, 1)]
    [InlineData(DsnNotify.Unspecified, 1)]
    public async Task A_bounce_is_written_when_the_sender_wants_it(DsnNotify notify, int reports)
    {
        _hop.Script = (_, command) => command.StartsWith("RCPT TO:<a@x.test>", StringComparison.Ordinal) ? "550 5.1.1 No such user" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        var record = Record("a@x.test");
        await bench.SubmitAsync(1, record with
        {
            Envelope = record.Envelope with
            {
                Recipients = [record.Envelope.Recipients[0] with { Notify = notify }],
            }
        });
        await bench.SettledAsync(1 + reports);
        Assert.Equal(reports, bench.Log.Events.OfType<MailEvent.ReportKept>().Count());
        Assert.Equal(reports, _hop.Messages.Length);
        Assert.Equal(0, (await bench.Spool.TotalsAsync(Cancel)).Messages);
    }

    [Fact]
    public async Task One_bounce_tells_of_all_recipients_that_failed_together()
    {
        _hop.Script = (_, command) => command.EndsWith("@x.test>", StringComparison.Ordinal) ? "550 5.1.1 No such user" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test", "good@y.test", "b@x.test");
        await _hop.UntilAsync(hop => hop.Messages.Length == 2);
        var text = _hop.Messages[1].Parse().GetTextBody(MimeKit.Text.TextFormat.Plain);
        Assert.Contains("a@x.test", text, StringComparison.Ordinal);
        Assert.Contains("b@x.test", text, StringComparison.Ordinal);
        Assert.DoesNotContain("good@y.test", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_held_message_is_not_relayed_until_it_is_released()
    {
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.Spool.KeepAsync(1, Record("a@x.test") with { HoldReason = "over the limit" }, "x\r\n"u8.ToArray());
        await bench.SubmitAsync(2, "b@x.test");
        bench.Pass(TimeSpan.FromDays(2));
        Assert.Equal("<b@x.test>", (await bench.SettledAsync(1))[0].Recipient);
        Assert.Equal("0 Held", States(await bench.FindAsync(1)));

        Assert.Equal(1, await bench.Spool.ReleaseHeldAsync(Id(1), Cancel));
        bench.Handoff.Wake();
        Assert.Equal("<a@x.test>", (await bench.SettledAsync(2))[1].Recipient);
    }

    [Fact]
    public async Task The_queue_is_looked_at_when_an_attempt_falls_due_and_at_least_each_minute()
    {
        _hop.Script = (session, command) => session == 1 && command.StartsWith("RCPT", StringComparison.Ordinal) ? "450 4.2.1 Busy" : null;
        await using var bench = new RelayBench(options => options with { Relay = options.Relay with { RetryFirst = TimeSpan.FromSeconds(10) } },
            RelayBench.To(_hop) with { ConnectionsMax = 1 });
        await bench.Clock.ArmedAsync(TimeSpan.FromMinutes(1));
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        var wait = settled.NextAttemptAt!.Value - Now;
        await bench.Clock.ArmedAsync(wait);
        bench.Clock.Advance(wait);
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(2))[1].State);
    }

    [Fact]
    public async Task A_recipient_whose_route_was_taken_away_is_deferred_and_goes_when_it_is_back()
    {
        await using var bench = new RelayBench(RelayBench.To(_hop) with { Recipients = ["x.test"] });
        await bench.SubmitAsync(1, "a@y.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(("none", "451 4.3.5 No route of this server leads there any more"), (settled.NextHop, settled.Reply));
        RouteOptions all = RelayBench.To(_hop);
        bench.Reload(bench.Options with { Routes = [all] });
        await bench.PassToAsync(settled);
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(2))[1].State);
    }

    [Fact]
    public async Task What_waits_when_the_relay_stops_is_due_again()
    {
        var never = new TaskCompletionSource();
        _hop.Before = command => command == "connect" ? never.Task : Task.CompletedTask;
        var bench = new RelayBench(RelayBench.To(_hop) with { ConnectionsMax = 1 });
        await bench.SubmitAsync(1, "a@x.test");
        await _hop.UntilAsync(hop => hop.Sessions == 1);
        await bench.SubmitAsync(2, "b@x.test");
        await bench.Relay.DisposeAsync();
        Assert.Equal("0 Due", States(await bench.FindAsync(1)));
        Assert.Equal("0 Due", States(await bench.FindAsync(2)));
        Assert.Equal([0, 0], new[] { await bench.FindAsync(1), await bench.FindAsync(2) }.Select(message => message!.Recipients[0].Attempts));
        await bench.DisposeAsync();
    }

    [Fact]
    public async Task New_routes_take_what_waits_for_the_old_ones_at_once()
    {
        var never = new TaskCompletionSource();
        _hop.Before = command => command == "connect" ? never.Task : Task.CompletedTask;
        await using var other = new ScriptedHop();
        await using var bench = new RelayBench(RelayBench.To(_hop) with { ConnectionsMax = 1 });
        await bench.SubmitAsync(1, "a@x.test");
        await _hop.UntilAsync(hop => hop.Sessions == 1);
        await bench.SubmitAsync(2, "b@x.test");
        bench.Reload(bench.Options with { Routes = [RelayBench.To(other)] });
        await other.UntilAsync(hop => hop.Messages.Length == 2);
    }

    private static async Task<MailEvent.RecipientSettled> SettledAsync(RelayBench bench, int attempt)
    {
        bool Ours(MailEvent mailEvent) => mailEvent is MailEvent.RecipientSettled { Recipient: "<busy@x.test>" };
        await bench.Log.UntilAsync(events => events.Count(Ours) >= attempt);
        return (MailEvent.RecipientSettled)bench.Log.Events.Where(Ours).ElementAt(attempt - 1);
    }

    private static void AssertWait(int attempts, RelayBench bench, MailEvent.RecipientSettled settled)
    {
        var wait = (settled.NextAttemptAt!.Value - bench.Clock.GetUtcNow()).TotalMinutes;
        var plain = Math.Min(Math.Pow(2, attempts - 1), 120);
        if (settled.NextAttemptAt == Now.AddDays(5))
        {
            Assert.InRange(wait, 0, plain * 1.1);
        }
        else
        {
            Assert.InRange(wait, plain * 0.9, plain * 1.1);
        }
    }
}
