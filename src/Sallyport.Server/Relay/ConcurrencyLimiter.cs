namespace Sallyport.Server.Relay;

/// <summary>
/// How many connections to one host at once: one more for a round of successes, half after a failure of the host. Not shared between
/// threads: the registry of hosts has the lock.
/// </summary>
public sealed class ConcurrencyLimiter
{
    private const int Start = 5;

    /// <summary>Messages relayed before one connection more is tried again where the host said that it takes no more.</summary>
    private const int Patience = 50;

    private double _limit = Start;
    private int _patience;

    /// <param name="max">The route's own limit.</param>
    public int Limit(int max) => (int)Math.Min(_limit, max);

    public void Succeeded(int max)
    {
        if (_patience > 0)
        {
            _patience--;
            return;
        }

        // A route with a low limit of its own says nothing about what the host bears beyond it.
        _limit = Math.Max(_limit, Math.Min(max, _limit + (1 / _limit)));
    }

    public void Failed() => _limit = Math.Max(1, _limit / 2);

    /// <summary>The host refused one connection more while it keeps these open: so many it takes.</summary>
    public void LimitTo(int open)
    {
        _limit = Math.Max(1, open);
        _patience = Patience;
    }
}
