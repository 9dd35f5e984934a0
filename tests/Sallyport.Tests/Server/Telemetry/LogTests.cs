using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Telemetry;

/// <summary>Lines that fail2ban, site scripts and people read: word for word.</summary>
public sealed class LogTests
{
    private static readonly Reply NotYours = new(550, new(5, 7, 1), "Not yours");

    private static readonly MailEvent[] Events =
    [
        new MailEvent.ConnectionOpened("S1", "192.0.2.7", "0.0.0.0:587"),
        new MailEvent.ConnectionRefused("S1", "192.0.2.7", "too many"),
        new MailEvent.TlsStarted("S1", "192.0.2.7", "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
        new MailEvent.TlsFailed("S1", "192.0.2.7", "no common cipher"),
        new MailEvent.LoginSucceeded("S1", "192.0.2.7", "jane@acme.test", "Jane", "local", "PLAIN"),
        new MailEvent.LoginFailed("S1", "192.0.2.7", "jane", "PLAIN", "wrong password"),
        new MailEvent.Refused("S1", "192.0.2.7", "jane", "<boss@acme.test>", NotYours, "jane@acme.test"),
        new MailEvent.Refused("S1", "192.0.2.7", "jane", "content", Replies.NoRoom, "jane@acme.test"),
        new MailEvent.MessageAccepted("S1", Id(1), "192.0.2.7", "jane", "<jane@acme.test>", 2, "<1@laptop>", 1234),
        new MailEvent.ConnectionClosed("S1", "192.0.2.7", 1, "quit"),
        new MailEvent.RecipientSettled("S1", Id(1), "jane", "<jane@acme.test>", "<a@x.test>", RecipientState.Relayed, "mx.x.test:25",
            "250 2.0.0 Ok", 1, 1234, TimeSpan.FromSeconds(0.25), null, false),
        new MailEvent.RecipientSettled("S1", Id(1), "jane", "<jane@acme.test>", "<a@x.test>", RecipientState.Due, "mx.x.test:25",
            "451 4.4.2 gone", 2, 1234, TimeSpan.FromHours(26), Now, true),
        new MailEvent.ReportKept(Id(2), Id(1), "<jane@acme.test>", "failed"),
        new MailEvent.MessageHeld("S1", Id(1), "jane", 2, "stopped"),
        new MailEvent.BreakerTripped("jane", "192.0.2.7", "first_contacts_per_hour", 41, 40, 3, "stopped: 41 of 40"),
        new MailEvent.HeldChanged("held", "jane", 2, 3),
        new MailEvent.AlertSent("breaker_tripped", "jane", "mail", ""),
        new MailEvent.AlertSent("breaker_tripped", "jane", "webhook", "it answered 502"),
        new MailEvent.LoginSuspended("jane", Now.AddHours(1), "stolen"),
        new MailEvent.LoginSuspended("jane", null, ""),
        new MailEvent.LoginResumed("jane"),
        new MailEvent.HeldChanged("released", "jane", 1000, 1200),
        new MailEvent.HeldChanged("dropped", "", 1, 1),
        new MailEvent.Notice("started"),
        new MailEvent.Problem("the disk is full"),
    ];

    [Fact]
    public void Each_event_has_its_line_for_eyes() => Assert.Equal(
    [
        "S1 connected from 192.0.2.7 to 0.0.0.0:587",
        "S1 connection from 192.0.2.7 refused: too many",
        "S1 TLSv1.3 TLS_AES_256_GCM_SHA384",
        "S1 TLS with 192.0.2.7 failed: no common cipher",
        "S1 login of jane@acme.test from 192.0.2.7 as \"Jane\" (PLAIN, local)",
        "S1 LOGIN FAILED for \"jane\" from 192.0.2.7: wrong password (PLAIN)",
        "S1 refused \"<boss@acme.test>\" of login jane from 192.0.2.7: 550 5.7.1 Not yours",
        "S1 refused \"content\" of login jane from 192.0.2.7: 452 4.3.1 Insufficient system storage, try again later",
        "S1 MESSAGE0001 accepted from <jane@acme.test> of login jane at 192.0.2.7 for 2 recipients, 1234 bytes, message-id <1@laptop>",
        "S1 192.0.2.7 disconnected after 1 message: quit",
        "MESSAGE0001 relayed to <a@x.test> via mx.x.test:25: 250 2.0.0 Ok (attempt 1, 0.3 s after it came)",
        "MESSAGE0001 deferred for <a@x.test> via mx.x.test:25: 451 4.4.2 gone (attempt 2, 26 h 0 min after it came, "
            + "next attempt 2026-11-24 08:15:30Z, the next hop may have it already)",
        "MESSAGE0002 report \"failed\" about MESSAGE0001 goes to <jane@acme.test>",
        "S1 MESSAGE0001 HELD of login jane: stopped",
        "STOPPED jane, last from 192.0.2.7: stopped: 41 of 40; its mail is held from now on",
        "held what waited of login jane: 2 messages, 3 recipients",
        "alert breaker_tripped about jane by mail sent",
        "alert breaker_tripped about jane by webhook did not go: it answered 502",
        "SUSPENDED jane: it may not send until 2026-11-24 09:15:30Z: stolen",
        "SUSPENDED jane: it may not send until it is resumed",
        "resumed jane: it may send again",
        "released what was held of login jane: 1000 messages, 1200 recipients",
        "dropped what was held: 1 message, 1 recipient",
        "started",
        "PROBLEM: the disk is full",
    ], Events.Select(one => Strip(new HumanFormatter().Format(one, Now), "2026-11-24 08:15:30.000Z ")));

    [Fact]
    public void Each_event_has_Dominos_line_or_one_of_our_own() => Assert.Equal(
    [
        "SMTP Server: 192.0.2.7 connected",
        "SMTP Server: Connection from [192.0.2.7] rejected for policy reasons. too many.",
        null,
        "TLS/SSL connection 192.0.2.7 failed: no common cipher",
        "SMTP Server: Authentication succeeded for user jane@acme.test ; connecting host 192.0.2.7",
        "SMTP Server: Authentication failed for user jane ; connecting host 192.0.2.7",
        "SMTP Server: Message rejected. Authenticated user jane from host 192.0.2.7 sending mail from <boss@acme.test> "
            + "failed to match directory address jane@acme.test",
        "SMTP Server: Message rejected. content from host 192.0.2.7: 452 4.3.1 Insufficient system storage, try again later",
        "SMTP Server: Message MESSAGE0001 (MessageID: <1@laptop>) received from jane@acme.test size 1234 bytes",
        "SMTP Server: 192.0.2.7 disconnected. 1 message[s] received",
        "Router: Message MESSAGE0001 transferred to mx.x.test for a@x.test from jane@acme.test Size: 1234 via SMTP",
        "Sallyport: MESSAGE0001 deferred for <a@x.test> via mx.x.test:25: 451 4.4.2 gone (attempt 2, 26 h 0 min after it came, "
            + "next attempt 2026-11-24 08:15:30Z, the next hop may have it already)",
        "Sallyport: MESSAGE0002 report \"failed\" about MESSAGE0001 goes to <jane@acme.test>",
        "Sallyport: S1 MESSAGE0001 HELD of login jane: stopped",
        "Sallyport: STOPPED jane, last from 192.0.2.7: stopped: 41 of 40; its mail is held from now on",
        "Sallyport: held what waited of login jane: 2 messages, 3 recipients",
        "Sallyport: alert breaker_tripped about jane by mail sent",
        "Sallyport: alert breaker_tripped about jane by webhook did not go: it answered 502",
        "Sallyport: SUSPENDED jane: it may not send until 2026-11-24 09:15:30Z: stolen",
        "Sallyport: SUSPENDED jane: it may not send until it is resumed",
        "Sallyport: resumed jane: it may send again",
        "Sallyport: released what was held of login jane: 1000 messages, 1200 recipients",
        "Sallyport: dropped what was held: 1 message, 1 recipient",
        "Sallyport: started",
        "Sallyport: PROBLEM: the disk is full",
    ], Events.Select(one => new DominoFormatter().Format(one, Now) is { } line ? Strip(line, "11/24/2026 08:15:30   ") : null));

    [Fact]
    public void Each_event_is_one_JSON_object_with_its_name_and_ids()
    {
        var lines = Events.Select(one => JsonDocument.Parse(new JsonFormatter().Format(one, Now)).RootElement).ToList();
        Assert.Equal(
        [
            "connected", "connection_refused", "tls_started", "tls_failed", "login_succeeded", "login_failed", "refused", "refused",
            "message_accepted", "disconnected", "recipient_relayed", "recipient_deferred", "report_kept",
            "message_held", "breaker_tripped", "waiting_held", "alert_sent", "alert_failed",
            "login_suspended", "login_suspended", "login_resumed", "held_released", "held_dropped", "notice", "problem",
        ], lines.Select(line => line.GetProperty("event").GetString()));
        Assert.Equal("error", lines[^1].GetProperty("level").GetString());
        Assert.All(lines[..^1], line => Assert.Equal("info", line.GetProperty("level").GetString()));
        Assert.Equal("{\"time\":\"2026-11-24T08:15:30Z\",\"level\":\"info\",\"event\":\"recipient_deferred\",\"session\":\"S1\","
            + "\"queue_id\":\"MESSAGE0001\",\"login\":\"jane\",\"sender\":\"<jane@acme.test>\",\"recipient\":\"<a@x.test>\","
            + "\"next_hop\":\"mx.x.test:25\",\"reply\":\"451 4.4.2 gone\",\"attempts\":2,\"bytes\":1234,\"age_seconds\":93600,"
            + "\"next_attempt\":\"2026-11-24T08:15:30Z\",\"maybe_twice\":true}", new JsonFormatter().Format(Events[11], Now));
    }

    [Fact]
    public void A_limit_that_is_reached_is_told_with_all_its_facts()
    {
        var reached = new MailEvent.LimitReached("S1", "192.0.2.7", "jane", "<a@x.test>", "group:staff", SendingMeasure.FirstTimeRecipients,
            SendingWindow.Hour, 200, 200, Now, new Reply(450, new(4, 7, 1), "Not now"));
        const string Words = "S1 LIMIT reached, \"<a@x.test>\" of login jane from 192.0.2.7 refused: "
            + "group:staff has used 200 of 200 first-time recipients an hour: 450 4.7.1 Not now";
        Assert.Equal("2026-11-24 08:15:30.000Z " + Words, new HumanFormatter().Format(reached, Now));
        Assert.Equal("11/24/2026 08:15:30   Sallyport: " + Words, new DominoFormatter().Format(reached, Now));
        Assert.Equal("{\"time\":\"2026-11-24T08:15:30Z\",\"level\":\"info\",\"event\":\"limit_reached\",\"session\":\"S1\",\"client\":\"192.0.2.7\","
            + "\"login\":\"jane\",\"subject\":\"<a@x.test>\",\"whose\":\"group:staff\",\"measure\":\"first_time_recipients\",\"window\":\"hour\","
            + "\"reply\":\"450 4.7.1 Not now\",\"used\":200,\"allowed\":200,\"free_at\":\"2026-11-24T08:15:30Z\"}",
            new JsonFormatter().Format(reached, Now));
    }

    [Theory]
    [InlineData("a\r\nb", "a\\x{d}\\x{a}b")]
    [InlineData("\u001b[2J", "\\x{1b}[2J")]
    [InlineData("a\u202eb\u2066c", "a\\x{202e}b\\x{2066}c")]
    [InlineData("a\u2028b\u0085", "a\\x{2028}b\\x{85}")]
    [InlineData("\ufffd", "\\x{fffd}")]
    [InlineData("J\u00f6rg \U0001F4EE", "J\u00f6rg \U0001F4EE")]
    public void What_clients_say_cannot_end_a_line_or_turn_it_round(string said, string shown) => Assert.Equal(shown, LogText.Clean(said));

    [Theory]
    [InlineData('a')]
    [InlineData('\u00e4')]
    [InlineData('\0')]
    public void What_is_too_long_is_cut_in_every_style(char c)
    {
        var typed = new string(c, 65536);
        Assert.InRange(Encoding.UTF8.GetByteCount(LogText.Clean(typed)), 1000, LogText.BytesMax);
        Assert.EndsWith("\u2026", LogText.Clean(typed), StringComparison.Ordinal);
        foreach (var formatter in (ILineFormatter[])[new HumanFormatter(), new DominoFormatter(), new JsonFormatter()])
        {
            var line = formatter.Format(new MailEvent.LoginFailed("S1", "192.0.2.7", typed, "PLAIN", "wrong password"), Now)!;
            Assert.InRange(line.Length, 1, 2400);
            Assert.DoesNotContain(line, char.IsControl);
        }
    }

    [Fact]
    public void A_login_cannot_accuse_another_address_in_Dominos_words()
    {
        var line = new DominoFormatter().Format(
            new MailEvent.LoginFailed("S1", "192.0.2.7", "x ; connecting host 198.51.100.1\r\n", "PLAIN", "wrong"), Now);
        Assert.EndsWith("for user x , connecting host 198.51.100.1\\x{d}\\x{a} ; connecting host 192.0.2.7", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_log_drops_lines_counts_them_and_never_waits()
    {
        using var gate = new ManualResetEventSlim();
        var target = new MemoryStream();
        await using (var log = new LineLog(new HumanFormatter(), () =>
        {
            gate.Wait(TestContext.Current.CancellationToken);
            return new Kept(target);
        }, new FakeTimeProvider(Now)))
        {
            for (var i = 0; i < LineLog.WaitingMax + 2000; i++)
            {
                log.Write(new MailEvent.Notice("line")); // returns although nobody writes
            }

            gate.Set();
        }

        var lines = Encoding.UTF8.GetString(target.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(lines.Count(line => line.EndsWith(" line", StringComparison.Ordinal)), LineLog.WaitingMax, LineLog.WaitingMax + 512);
        Assert.Contains(lines, line => line.Contains("lines of this log were lost", StringComparison.Ordinal));
    }

    private static string Strip(string line, string time)
    {
        Assert.StartsWith(time, line, StringComparison.Ordinal);
        return line[time.Length..];
    }

    /// <summary>What was written stays readable when the log closes it.</summary>
    private sealed class Kept(MemoryStream target) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => target.Length;

        public override long Position { get => target.Position; set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => target.Write(buffer, offset, count);
    }
}
