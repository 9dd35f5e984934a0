using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>Holds what of a stopped login still waits in the queue, then says so. Behind the sessions: none waits for it.</summary>
/// <param name="isStopped">Is the trip still in force? It may have been forgiven while it waited here.</param>
/// <param name="told">Called for each trip with how many messages were held that waited.</param>
public sealed class TripFollower(TripQueue trips, ISpool spool, IMailLog log, Func<Trip, bool> isStopped, Action<Trip, long> told) : IAsyncDisposable
{
    private Task _running = Task.CompletedTask;

    public void Start() => _running = RunAsync();

    public async ValueTask DisposeAsync()
    {
        trips.End();
        await _running;
    }

    private async Task RunAsync()
    {
        await foreach (var (trip, isNew) in trips.ReadAllAsync())
        {
            var held = isStopped(trip) ? await HoldAsync(trip) : 0;
            if (isNew)
            {
                told(trip, held);
            }
        }
    }

    private async Task<long> HoldAsync(Trip trip)
    {
        try
        {
            var held = await spool.HoldDueOfAsync(trip.Login, trip.Reason, default);
            if (held.Messages > 0)
            {
                log.Write(new MailEvent.HeldChanged("held", trip.Login, held.Messages, held.Recipients));
            }

            return held.Messages;
        }
        catch (Exception exception)
        {
            log.Write(new MailEvent.Problem($"what of {trip.Login} waits in the queue could not be held: {exception.Message}"));
            return 0;
        }
    }
}
