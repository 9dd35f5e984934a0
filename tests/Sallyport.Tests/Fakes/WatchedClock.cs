using Microsoft.Extensions.Time.Testing;

namespace Sallyport.Tests.Fakes;

/// <summary>A clock the test moves, which tells when somebody has begun to wait for it: only then it makes sense to move it.</summary>
internal sealed class WatchedClock(DateTimeOffset now) : FakeTimeProvider(now)
{
    private readonly Lock _gate = new();
    private readonly Signal _signal = new();
    private readonly List<WatchedTimer> _armed = [];

    /// <summary>Completes when a wait of exactly this length is under way.</summary>
    public Task ArmedAsync(TimeSpan wait) => _signal.UntilAsync(() => Armed.Contains(wait), () => "waits of " + string.Join(", ", Armed));

    /// <summary>Awaits the wait, then lets it run out.</summary>
    public async Task RunOutAsync(TimeSpan wait)
    {
        await ArmedAsync(wait);
        Advance(wait);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new WatchedTimer(this, dueTime);
        timer.Inner = base.CreateTimer(
            x =>
            {
                Note(timer, Timeout.InfiniteTimeSpan);
                callback(x);
            },
            state, dueTime, period);
        Note(timer, dueTime);
        return timer;
    }

    private TimeSpan[] Armed
    {
        get
        {
            lock (_gate)
            {
                return [.. _armed.Select(timer => timer.Wait)];
            }
        }
    }

    private void Note(WatchedTimer timer, TimeSpan wait)
    {
        lock (_gate)
        {
            _armed.Remove(timer);
            timer.Wait = wait;
            if (wait > TimeSpan.Zero)
            {
                _armed.Add(timer);
            }
        }

        _signal.Changed();
    }

    private sealed class WatchedTimer(WatchedClock clock, TimeSpan wait) : ITimer
    {
        public TimeSpan Wait { get; set; } = wait;

        public ITimer? Inner { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = Inner!.Change(dueTime, period);
            clock.Note(this, dueTime);
            return changed;
        }

        public void Dispose()
        {
            Inner!.Dispose();
            clock.Note(this, Timeout.InfiniteTimeSpan);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
