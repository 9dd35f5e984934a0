using Sallyport.Server.Alerting;
using Sallyport.Server.Configuration;
using Sallyport.Server.Intake;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Sending;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Hosting;

/// <summary>What watches over the logins and tells of it: the breaker, who follows its trips, and the alerts.</summary>
public sealed class AbuseMonitoring : IAsyncDisposable
{
    /// <summary>What can be done about a login that is stopped.</summary>
    private static readonly string[] Undoing =
        ["hold list --login {0}", "login suspend {0}", "hold drop {0}", "hold release {0}", "hold release {0} --trust", "login resume {0}"];

    private readonly ISpool _spool;
    private readonly TripFollower _follower;

    private AbuseMonitoring(ISpool spool, Breaker breaker, AlertCenter alerts, TripFollower follower) =>
        (_spool, Breaker, Alerts, _follower) = (spool, breaker, alerts, follower);

    public Breaker Breaker { get; }

    public AlertCenter Alerts { get; }

    public static async ValueTask<AbuseMonitoring> OpenAsync(
        IStore store, UsageLedger sending, SiteState state, IOptionsInForce site, Handoff handoff, QueueIds ids, ContentPipeline content,
        IMailLog log, TimeProvider time, CancellationToken cancel)
    {
        var trips = new TripQueue();
        var breaker = await Breaker.LoadAsync(state, sending, trips, log, time, site, cancel);
#pragma warning disable CA2000 // Disposed with this.
        var alerts = new AlertCenter(site, new AlertMail(store.Spool, handoff, ids, content, time), new AlertWebhook(time), log, time);
        var follower = new TripFollower(trips, store.Spool, log, breaker.IsInForce,
            (trip, held) => alerts.Tell(AlertOf(trip, held, site.Options.Hostname)));
#pragma warning restore CA2000
        return new AbuseMonitoring(store.Spool, breaker, alerts, follower);
    }

    /// <summary>What waits of those stopped before the last end is held before the relay can take it; from then on trips are followed.</summary>
    public async Task StartAsync(OutcomeFeed outcomes, CancellationToken cancel)
    {
        foreach (var trip in Breaker.Trips)
        {
            await _spool.HoldDueOfAsync(trip.Login, trip.Reason, cancel);
        }

        outcomes.Subscribe(Breaker);
        _follower.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _follower.DisposeAsync();
        await Alerts.DisposeAsync();
    }

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
}
