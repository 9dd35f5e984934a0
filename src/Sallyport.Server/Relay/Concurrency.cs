namespace Sallyport.Server.Relay;

/// <summary>How many connections to one next hop at once: one more for a round of successes, half after a failure of the host.</summary>
public sealed class Concurrency(int max)
{
    private const int Start = 5;

    private readonly Lock _gate = new();
    private double _limit = Math.Min(Start, max);

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
}
