using System.Threading.Channels;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>Holds what of a stopped login still waits in the queue, then says so. Behind the sessions: none waits for it.</summary>
/// <param name="isStopped">Is the trip still in force? It may have been forgiven while it waited here.</param>
/// <param name="told">Called for each trip with how many messages were held that waited.</param>
public sealed class TripFollower(ISpool spool, IMailLog log, Func<Trip, bool> isStopped, Action<Trip, long> told) : IAsyncDisposable
{
    /// <summary>Trips and logins waiting; each login is there at most twice, and what finds no room is held when its turn comes again.</summary>
    private const int WaitingMax = 10_000;

    private readonly Channel<(Trip Trip, bool IsNew)> _waiting = Channel.CreateBounded<(Trip, bool)>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Lock _gate = new();
    private readonly HashSet<string> _again = new(StringComparer.Ordinal);
    private Task _running = Task.CompletedTask;

    public void Start() => _running = RunAsync();

    /// <summary>A login was stopped just now.</summary>
    public void Follow(Trip trip) => _waiting.Writer.TryWrite((trip, true));

    /// <summary>A message of a stopped login came back from a next hop and would be tried again.</summary>
    public void HoldAgain(Trip trip)
    {
        lock (_gate)
        {
            if (!_again.Add(trip.Login))
            {
                return;
            }
        }

        _waiting.Writer.TryWrite((trip, false));
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _running;
    }

    private async Task RunAsync()
    {
        await foreach (var (trip, isNew) in _waiting.Reader.ReadAllAsync())
        {
            lock (_gate)
            {
                _again.Remove(trip.Login);
            }

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
