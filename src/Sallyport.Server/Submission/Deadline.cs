namespace Sallyport.Server.Submission;

/// <summary>One timer for one session: when it runs out, whatever the session waits for on its wire is called off.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly ITimer _timer;
    private readonly ISubmissionWire _wire;
    private int _armed;

    public Deadline(ISubmissionWire wire, TimeProvider time)
    {
        _wire = wire;
        _timer = time.CreateTimer(static state => ((Deadline)state!).RunOut(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>True when it ran out since it was last armed.</summary>
    public bool HasRunOut { get; private set; }

    public void Arm(TimeSpan within)
    {
        HasRunOut = false;
        Volatile.Write(ref _armed, 1);
        _timer.Change(within, Timeout.InfiniteTimeSpan);
    }

    public void Disarm() => Volatile.Write(ref _armed, 0);

    public void Dispose() => _timer.Dispose();

    private void RunOut()
    {
        if (Interlocked.Exchange(ref _armed, 0) == 0)
        {
            return;
        }

        HasRunOut = true;
        _wire.Input.CancelPendingRead();
        _wire.Output.CancelPendingFlush();
    }
}
