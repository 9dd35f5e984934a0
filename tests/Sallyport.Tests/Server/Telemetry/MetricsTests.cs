using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Telemetry;

/// <summary>What Prometheus reads.</summary>
public sealed class MetricsTests
{
    [Fact]
    public void What_the_log_says_is_counted_by_outcome()
    {
        var log = new RecordingLog();
        using var metrics = new MailMetrics(log);
        using var text = new PrometheusText(metrics.Meter);
        MailEvent[] events =
        [
            new MailEvent.LoginSucceeded("S", "c", "jane", "jane", "local", "PLAIN"),
            new MailEvent.LoginSucceeded("S", "c", "jane", "jane", "local", "PLAIN"),
            new MailEvent.LoginFailed("S", "c", "jane", "PLAIN", "wrong"),
            new MailEvent.StaleSecret("jane", "c", 1),
            new MailEvent.LoginUnavailable("S", "c", "jane", "PLAIN", "away"),
            new MailEvent.MessageAccepted("S", Id(1), "c", "jane", "<>", 1, "", 1),
            new MailEvent.MessageAccepted("S", Id(2), "c", "jane", "<>", 1, "", 1) { Held = true },
            new MailEvent.Refused("S", "c", "jane", "x", Replies.NulRefused, ""),
            new MailEvent.StoreRefused("S", null, "c", "jane", "x", "disk full", Replies.NoRoom),
            new MailEvent.RefusalsOmitted("S", "c", "jane", 7),
            Settled(RecipientState.Relayed),
            Settled(RecipientState.Failed),
            Settled(RecipientState.Due),
            new MailEvent.BreakerTripped("jane", "c", "first_contacts_per_hour", 41, 40, 0, "why"),
            new MailEvent.AlertSent("breaker_tripped", "jane", "mail", ""),
            new MailEvent.AlertSent("breaker_tripped", "jane", "webhook", "down"),
            new MailEvent.NetworkBanned("192.0.2.1", Now, "why"),
        ];
        Array.ForEach(events, metrics.Write);
        Assert.Equal(events, log.Events);
        metrics.Observe(new MetricsNow(new SpoolTotals(3, 9, 4, 2, 3, 1000, Now.AddMinutes(-2)), 5, 1, 2, 6, Now));
        Assert.Equal(
            """
            sallyport_alerts_total{way="mail",outcome="sent"} 1
            sallyport_alerts_total{way="webhook",outcome="failed"} 1
            sallyport_banned_networks 6
            sallyport_bans_total 1
            sallyport_breaker_stopped_logins 1
            sallyport_breaker_trips_total{sign="first_contacts_per_hour"} 1
            sallyport_connections 5
            sallyport_logins_total{outcome="accepted"} 2
            sallyport_logins_total{outcome="failed"} 1
            sallyport_logins_total{outcome="repeated"} 1
            sallyport_logins_total{outcome="unavailable"} 1
            sallyport_messages_total{outcome="accepted"} 1
            sallyport_messages_total{outcome="held"} 1
            sallyport_queue_bytes 1000
            sallyport_queue_messages 3
            sallyport_queue_oldest_seconds 120
            sallyport_queue_recipients{state="due"} 4
            sallyport_queue_recipients{state="held"} 3
            sallyport_queue_recipients{state="in_progress"} 2
            sallyport_recipients_total{outcome="deferred"} 1
            sallyport_recipients_total{outcome="failed"} 1
            sallyport_recipients_total{outcome="relayed"} 1
            sallyport_refusals_total{reason="policy"} 8
            sallyport_refusals_total{reason="storage"} 1
            sallyport_suspended_logins 2
            """.ReplaceLineEndings("\n"),
            string.Join('\n', text.Write().Split('\n')
                .Where(line => line.Length > 0 && line[0] != '#' && !line.Contains("_seconds_", StringComparison.Ordinal))));
    }

    [Fact]
    public void How_long_a_commit_took_falls_into_the_buckets_that_hold_it()
    {
        using var metrics = new MailMetrics(new RecordingLog());
        using var text = new PrometheusText(metrics.Meter);
        foreach (var milliseconds in (int[])[1, 3, 250, 20_000])
        {
            metrics.Write(new MailEvent.MessageAccepted("S", Id(1), "c", "jane", "<>", 1, "", 1)
            {
                CommitTime = TimeSpan.FromMilliseconds(milliseconds),
            });
        }

        Assert.Equal(
            """
            # TYPE sallyport_commit_seconds histogram
            sallyport_commit_seconds_bucket{le="0.001"} 1
            sallyport_commit_seconds_bucket{le="0.0025"} 1
            sallyport_commit_seconds_bucket{le="0.005"} 2
            sallyport_commit_seconds_bucket{le="0.01"} 2
            sallyport_commit_seconds_bucket{le="0.025"} 2
            sallyport_commit_seconds_bucket{le="0.05"} 2
            sallyport_commit_seconds_bucket{le="0.1"} 2
            sallyport_commit_seconds_bucket{le="0.25"} 3
            sallyport_commit_seconds_bucket{le="0.5"} 3
            sallyport_commit_seconds_bucket{le="1"} 3
            sallyport_commit_seconds_bucket{le="2.5"} 3
            sallyport_commit_seconds_bucket{le="10"} 3
            sallyport_commit_seconds_bucket{le="+Inf"} 4
            sallyport_commit_seconds_sum 20.254
            sallyport_commit_seconds_count 4
            """.ReplaceLineEndings("\n"),
            string.Join('\n', text.Write().Split('\n').Where(line => line.Contains("sallyport_commit_seconds", StringComparison.Ordinal)
                && !line.StartsWith("# HELP", StringComparison.Ordinal))));
    }

    [Fact]
    public void Only_what_was_relayed_counts_in_the_time_to_relay()
    {
        using var metrics = new MailMetrics(new RecordingLog());
        using var text = new PrometheusText(metrics.Meter);
        metrics.Write(Settled(RecipientState.Due));
        metrics.Write(Settled(RecipientState.Failed));
        metrics.Write(Settled(RecipientState.Relayed));
        Assert.Contains("sallyport_relay_seconds_count 1\n", text.Write(), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_name_has_its_kind_and_a_word_of_help()
    {
        using var metrics = new MailMetrics(new RecordingLog());
        using var text = new PrometheusText(metrics.Meter);
        var lines = text.Write().Split('\n');
        Assert.Contains("# TYPE sallyport_logins_total counter", lines);
        Assert.Contains("# TYPE sallyport_connections gauge", lines);
        Assert.Contains("# HELP sallyport_connections Open connections.", lines);
        var page = Tidy.SourceTree.Read("docs/operating/metrics.md");
        Assert.All(lines.Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]),
            name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal));
    }

    private static MailEvent.RecipientSettled Settled(RecipientState state) =>
        new("S", Id(1), "jane", "<>", "<a@x.test>", state, "mx:25", "250", 1, 1, default, null, false);
}
