namespace Sallyport.Server.Relay;

/// <summary>How many connections to one next hop at once: one more for a round of successes, half after a failure of the host.</summary>
public sealed class ConcurrencyLimiter(int max)
{
    private const int Start = 5;

    /// <summary>Messages relayed before one connection more is tried again where the host said that it takes no more.</summary>
    private const int Patience = 50;

    private readonly Lock _gate = new();
    private double _limit = Math.Min(Start, max);
    private int _patience;

    public int Limit
    {
        get
        {
            lock (_gate)
            {
                return (int)_limit;
            }
        }
    }

    public void Succeeded()
    {
        lock (_gate)
        {
            if (_patience > 0)
            {
                _patience--;
                return;
            }

            _limit = Math.Min(max, _limit + (1 / _limit));
        }
    }

    public void Failed()
    {
        lock (_gate)
        {
            _limit = Math.Max(1, _limit / 2);
        }
    }

    /// <summary>The host refused one connection more while it keeps these open: so many it takes.</summary>
    public void Crowded(int open)
    {
        lock (_gate)
        {
            _limit = Math.Clamp(open, 1, max);
            _patience = Patience;
        }
    }
}
