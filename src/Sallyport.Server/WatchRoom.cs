using System.Net;
using System.Net.Sockets;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Admin.Transport;
using Sallyport.Server.Alerting;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server;

/// <summary>What watches over the logins and tells of it, put together: breaker, alerts, numbers.</summary>
internal sealed class WatchRoom : IMailLog, IAsyncDisposable
{
    /// <summary>What can be done about a login that is stopped.</summary>
    private static readonly string[] Undoing =
        ["hold list --login {0}", "login suspend {0}", "hold drop {0}", "hold release {0}", "hold release {0} --trust", "login resume {0}"];

    private readonly IStore _store;
    private readonly IdentityBooks _books;
    private readonly TimeProvider _time;
    private readonly Func<ServerOptions> _options;
    private readonly MailMetrics _metrics;
    private readonly TripFollower _follower;
    private PrometheusText? _text;
    private MetricsDoor? _door;

    private WatchRoom(
        IStore store, IdentityBooks books, Breaker breaker, MailMetrics metrics, Handoff handoff, Func<ServerOptions> options,
        Func<QueueId> newQueueId, TimeProvider time)
    {
        (_store, _books, _options, _time, Breaker, _metrics) = (store, books, options, time, breaker, metrics);
#pragma warning disable CA2000 // The centre's, and disposed with it.
        Alerts = new AlertCenter(() => (options().Hostname, options().Alert), new AlertMail(store.Spool, handoff, newQueueId, time),
            new AlertWebhook(time), this, time);
#pragma warning restore CA2000
        _follower = new TripFollower(store.Spool, this, breaker.IsInForce, Tell);
        breaker.Tripped = _follower.Follow;
    }

    public Breaker Breaker { get; }

    public AlertCenter Alerts { get; }

    /// <summary>Open connections, for the numbers.</summary>
    public Func<int> Connections { get; set; } = static () => 0;

    public static async ValueTask<WatchRoom> OpenAsync(
        IStore store, IdentityBooks books, UsageLedger sending, MailMetrics metrics, Handoff handoff, Func<ServerOptions> options,
        Func<QueueId> newQueueId, TimeProvider time, CancellationToken cancel)
    {
        var breaker = await Breaker.LoadAsync(store.Facts, sending, books.Journal, metrics, time, () => options().Breaker, cancel);
        return new WatchRoom(store, books, breaker, metrics, handoff, options, newQueueId, time);
    }

    /// <summary>What waits of those stopped before the last end is held before the relay can take it.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        foreach (var trip in Breaker.Trips)
        {
            await _store.Spool.HoldDueOfAsync(trip.Login, trip.Reason, cancel);
        }

        _follower.Start();
        if (_options().Metrics.Address is { } address)
        {
            await ShowMetricsAsync(address, cancel);
        }
    }

    /// <summary>Every event of the server passes here: it is counted, and what became of recipients the breaker hears.</summary>
    public void Write(MailEvent mailEvent)
    {
        _metrics.Write(mailEvent);
        if (mailEvent is MailEvent.RecipientSettled settled && Breaker.Settled(settled.Login, settled.State) is { } trip
            && settled.State == RecipientState.Due)
        {
            _follower.HoldAgain(trip);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_door is not null)
        {
            await _door.DisposeAsync();
        }

        await _follower.DisposeAsync();
        await Alerts.DisposeAsync();
        _text?.Dispose();
        _metrics.Dispose();
    }

    /// <summary>Numbers that cannot be shown stop no mail.</summary>
    private async Task ShowMetricsAsync(IPEndPoint address, CancellationToken cancel)
    {
        _text = new PrometheusText(_metrics.Meter);
        _door = new MetricsDoor(address, WriteMetricsAsync, PrometheusText.ContentType);
        try
        {
            await _door.StartAsync(cancel);
            _metrics.Write(new MailEvent.Notice($"metrics on http://{address}/metrics"
                + (IPAddress.IsLoopback(address.Address) ? "" : ", open to the network, without TLS and without a login")));
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            _metrics.Write(new MailEvent.Problem($"metrics.address {address} cannot be listened on: {exception.Message}"));
        }
    }

    private void Tell(Trip trip, long held) => Alerts.Tell(AlertOf(trip, held, _options().Hostname));

    internal static Alert AlertOf(Trip trip, long held, string hostname) => new(
        "breaker_tripped", trip.Login, hostname, trip.At, $"{trip.Login} is stopped, its mail is held: {trip.Count} "
        + $"{trip.Sign.Replace('_', ' ')}, {trip.Allowed} are let go",
        [
            .. Undoing.Select(command => "sallyport " + command.Replace("{0}", ShellWord.Of(trip.Login), StringComparison.Ordinal)),
        ])
    {
        Evidence = new AlertEvidence(
            trip.Sign, trip.Count, trip.Allowed, trip.Usual, trip.Client, trip.Networks, trip.Recipients, held),
    };

    private async ValueTask<string> WriteMetricsAsync(CancellationToken cancel)
    {
        _metrics.Observe(new MetricsNow(await _store.Spool.TotalsAsync(cancel), Connections(), Breaker.Trips.Count,
            _books.Suspensions.All.Count, _books.Guard.Bans().Count, _time.GetUtcNow()));
        return _text!.Write();
    }
}
