using System.Diagnostics.Metrics;
using Sallyport.Store;

namespace Sallyport.Server.Telemetry;

/// <summary>What is true at this moment, for the gauges.</summary>
public sealed record MetricsNow(
    SpoolTotals Queue, int Connections, int StoppedLogins, int SuspendedLogins, int BannedNetworks, DateTimeOffset At);

/// <summary>
/// Counts the events on their way into the log: what the log says and what the numbers say is the same. The instruments are
/// System.Diagnostics.Metrics', so that any listener in the process can have them. Names and labels only grow.
/// </summary>
public sealed class MailMetrics : IMailLog, IDisposable
{
    public const string MeterName = "Sallyport";

    private readonly IMailLog _log;
    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _logins;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _recipients;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _trips;
    private readonly Counter<long> _alerts;
    private readonly Counter<long> _bans;
    private readonly Histogram<double> _commits;
    private readonly Histogram<double> _relays;
    private MetricsNow? _now;

    public MailMetrics(IMailLog log)
    {
        _log = log;
        _logins = _meter.CreateCounter<long>("sallyport_logins_total", null, "Logins by outcome: accepted, failed, repeated, unavailable.");
        _messages = _meter.CreateCounter<long>("sallyport_messages_total", null, "Messages taken by outcome: accepted (to be relayed), held.");
        _refusals = _meter.CreateCounter<long>(
            "sallyport_refusals_total", null, "Senders, recipients and messages refused, by reason: policy, limit, storage.");
        _recipients = _meter.CreateCounter<long>(
            "sallyport_recipients_total", null, "Attempts for a recipient by outcome: relayed, deferred, failed, held.");
        _trips = _meter.CreateCounter<long>("sallyport_breaker_trips_total", null, "Logins stopped by the breaker, by sign.");
        _alerts = _meter.CreateCounter<long>("sallyport_alerts_total", null, "Alerts by way (mail, webhook) and outcome: sent, failed.");
        _bans = _meter.CreateCounter<long>("sallyport_bans_total", null, "Networks banned.");
        _commits = Seconds("sallyport_commit_seconds", "Time the store took to make an accepted message durable.",
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10);
        _relays = Seconds("sallyport_relay_seconds", "Time from acceptance until a recipient was relayed.",
            0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 7200, 86400);
        Gauge("sallyport_queue_messages", "Messages in the queue.", now => now.Queue.Messages);
        Gauge("sallyport_queue_bytes", "Content in the queue.", now => now.Queue.Bytes);
        Gauge("sallyport_queue_oldest_seconds", "Age of the oldest message in the queue.",
            now => now.Queue.OldestReceivedAt is { } oldest ? Math.Max(0, (long)(now.At - oldest).TotalSeconds) : 0);
        _meter.CreateObservableGauge("sallyport_queue_recipients", ByState, null, "Recipients in the queue by state: due, in_progress, held.");
        Gauge("sallyport_connections", "Open connections.", now => now.Connections);
        Gauge("sallyport_breaker_stopped_logins", "Logins whose mail is held now.", now => now.StoppedLogins);
        Gauge("sallyport_suspended_logins", "Logins that may not send now.", now => now.SuspendedLogins);
        Gauge("sallyport_banned_networks", "Bans in force.", now => now.BannedNetworks);
    }

    public Meter Meter => _meter;

    /// <summary>What gauges show until the next call.</summary>
    public void Observe(MetricsNow now) => Volatile.Write(ref _now, now);

    public void Write(MailEvent mailEvent)
    {
        if (!IsNotCounted(mailEvent))
        {
            Count(mailEvent);
        }

        _log.Write(mailEvent);
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    /// <summary>Events whose number tells an operator nothing that another number does not tell better. The rest is counted.</summary>
    internal static bool IsNotCounted(MailEvent mailEvent) => mailEvent is MailEvent.ConnectionOpened or MailEvent.ConnectionRefused
        or MailEvent.ConnectionClosed or MailEvent.TlsStarted or MailEvent.TlsFailed or MailEvent.ClientCertificate or MailEvent.OutageLogin
        or MailEvent.LoginInClear or MailEvent.MessageHeld or MailEvent.LoginSuspended or MailEvent.LoginResumed or MailEvent.HeldChanged
        or MailEvent.UngrantedSenderAllowed or MailEvent.ReportKept or MailEvent.AdminChange or MailEvent.Notice or MailEvent.Problem;

    private void Count(MailEvent mailEvent)
    {
        switch (mailEvent)
        {
            case MailEvent.LoginSucceeded:
                _logins.Add(1, Label("outcome", "accepted"));
                break;
            case MailEvent.LoginFailed:
                _logins.Add(1, Label("outcome", "failed"));
                break;
            case MailEvent.StaleSecret:
                _logins.Add(1, Label("outcome", "repeated"));
                break;
            case MailEvent.LoginUnavailable:
                _logins.Add(1, Label("outcome", "unavailable"));
                break;
            case MailEvent.MessageAccepted e:
                _messages.Add(1, Label("outcome", e.Held ? "held" : "accepted"));
                _commits.Record(e.CommitTime.TotalSeconds);
                break;
            case MailEvent.Refused:
                _refusals.Add(1, Label("reason", "policy"));
                break;
            case MailEvent.StoreRefused:
                _refusals.Add(1, Label("reason", "storage"));
                break;
            case MailEvent.RefusalsOmitted e:
                _refusals.Add(e.Count, Label("reason", "policy"));
                break;
            case MailEvent.LimitReached:
                _refusals.Add(1, Label("reason", "limit"));
                break;
            case MailEvent.RecipientSettled e:
                _recipients.Add(1, Label("outcome", Name(e.State)));
                if (e.State == RecipientState.Relayed)
                {
                    _relays.Record(Math.Max(0, e.Age.TotalSeconds));
                }

                break;
            case MailEvent.BreakerTripped e:
                _trips.Add(1, Label("sign", e.Sign));
                break;
            case MailEvent.AlertSent e:
                _alerts.Add(1, Label("way", e.Way), Label("outcome", e.Trouble.Length == 0 ? "sent" : "failed"));
                break;
            case MailEvent.NetworkBanned:
                _bans.Add(1);
                break;
        }
    }

    private static string Name(RecipientState state) => state switch
    {
        RecipientState.Relayed => "relayed",
        RecipientState.Failed => "failed",
        RecipientState.Held => "held",
        _ => "deferred",
    };

    private Histogram<double> Seconds(string name, string description, params double[] bounds) =>
        _meter.CreateHistogram(name, "s", description, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private void Gauge(string name, string description, Func<MetricsNow, long> read) =>
        _meter.CreateObservableGauge(name, () => _now is { } now ? read(now) : 0, null, description);

    private IEnumerable<Measurement<long>> ByState()
    {
        var queue = _now?.Queue;
        yield return new(queue?.Due ?? 0, Label("state", "due"));
        yield return new(queue?.InProgress ?? 0, Label("state", "in_progress"));
        yield return new(queue?.Held ?? 0, Label("state", "held"));
    }
}
