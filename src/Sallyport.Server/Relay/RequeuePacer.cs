namespace Sallyport.Server.Relay;

/// <summary>
/// When messages come again that found no room at their destination. They queue up in time behind each other, twice as fast as the
/// destination works: it never runs dry, and a backlog of any size costs the store a bounded number of looks a second.
/// </summary>
internal sealed class RequeuePacer(TimeProvider time)
{
    /// <summary>Looks a second for a destination that does nothing at all.</summary>
    private const double PerSecondMin = 500;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WaitMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private DateTimeOffset _last = DateTimeOffset.MinValue;
    private long _windowFrom = time.GetTimestamp();
    private int _ended;
    private double _perSecond;

    /// <summary>A job has left the destination.</summary>
    public void JobEnded()
    {
        lock (_gate)
        {
            _ended++;
            Measure();
        }
    }

    /// <param name="waiting">Jobs before it.</param>
    public DateTimeOffset Next(int waiting)
    {
        lock (_gate)
        {
            Measure();
            var now = time.GetUtcNow();
            var half = _perSecond > 0 ? waiting / 2 / _perSecond : 0;
            var soonest = now + TimeSpan.FromSeconds(Math.Clamp(half, WaitMin.TotalSeconds, WaitMax.TotalSeconds));
            var behind = _last + TimeSpan.FromSeconds(1 / Math.Max(PerSecondMin, 2 * _perSecond));
            return _last = behind > soonest ? behind : soonest;
        }
    }

    private void Measure()
    {
        var elapsed = time.GetElapsedTime(_windowFrom);
        if (elapsed >= Window)
        {
            (_perSecond, _ended, _windowFrom) = (_ended / elapsed.TotalSeconds, 0, time.GetTimestamp());
        }
        else if (_ended > 0 && elapsed > WaitMin)
        {
            _perSecond = Math.Max(_perSecond, _ended / elapsed.TotalSeconds);
        }
    }
}
