using System.Threading.Channels;

namespace Sallyport.Server.Sending;

/// <summary>Logins that were stopped, on their way from the breaker to who holds what of them waits. From any thread, without waiting.</summary>
public sealed class TripQueue
{
    /// <summary>Trips and logins waiting; each login is there at most twice, and what finds no room is held when its turn comes again.</summary>
    private const int WaitingMax = 10_000;

    private readonly Channel<(Trip Trip, bool IsNew)> _waiting = Channel.CreateBounded<(Trip, bool)>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Lock _gate = new();
    private readonly HashSet<string> _again = new(StringComparer.Ordinal);

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

    /// <summary>All that comes until <see cref="End"/>, for one reader.</summary>
    internal async IAsyncEnumerable<(Trip Trip, bool IsNew)> ReadAllAsync()
    {
        await foreach (var one in _waiting.Reader.ReadAllAsync())
        {
            lock (_gate)
            {
                _again.Remove(one.Trip.Login);
            }

            yield return one;
        }
    }

    internal void End() => _waiting.Writer.TryComplete();
}
