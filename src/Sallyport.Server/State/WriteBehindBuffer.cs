using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.State;

/// <summary>
/// Facts on their way to the store: many changes of one fact become one write, all of an interval one commit. What a crash takes is at
/// most the last interval; an orderly stop takes nothing.
/// </summary>
public sealed class WriteBehindBuffer : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);
    private const int WaitingMax = 200_000;

    private readonly IFacts _facts;
    private readonly IMailLog _log;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _flushing = new(1);
    private readonly Task _running;
    private Dictionary<(FactKind Kind, string Key), FactChange> _waiting = [];
    private bool _failing;

    public WriteBehindBuffer(IFacts facts, IMailLog log, TimeProvider time)
    {
        (_facts, _log, _time) = (facts, log, time);
        _running = RunAsync();
    }

    /// <summary>Called before each write: whoever counts often puts then what has changed since.</summary>
    public Action? Collecting { get; set; }

    /// <summary>Where what cannot be read is named.</summary>
    public IMailLog Log => _log;

    public void Put(Fact fact) => Add((fact.Kind, fact.Key), new FactChange.Put(fact));

    public void Remove(FactKind kind, string key) => Add((kind, key), new FactChange.Remove(kind, key));

    /// <summary>Writes what waits. Returns when it is on stable storage, or could not be written: then it waits on.</summary>
    public async Task FlushAsync()
    {
        await _flushing.WaitAsync();
        try
        {
            Collecting?.Invoke();
            Dictionary<(FactKind Kind, string Key), FactChange> taken;
            lock (_gate)
            {
                (taken, _waiting) = (_waiting, []);
            }

            if (taken.Count > 0)
            {
                await WriteAsync(taken);
            }
        }
        finally
        {
            _flushing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await FlushAsync();
        _stop.Dispose();
        _flushing.Dispose();
    }

    private void Add((FactKind Kind, string Key) name, FactChange change)
    {
        lock (_gate)
        {
            if (_waiting.Count < WaitingMax || _waiting.ContainsKey(name))
            {
                _waiting[name] = change;
            }
        }
    }

    private async Task WriteAsync(Dictionary<(FactKind Kind, string Key), FactChange> taken)
    {
        try
        {
            await _facts.SaveAsync([.. taken.Values], default);
            _failing = false;
        }
        catch (StoreException exception)
        {
            if (!_failing)
            {
                _log.Write(new MailEvent.Problem($"counters and bans cannot be stored now and wait in memory: {exception.Message}"));
            }

            _failing = true;
            foreach (var (name, change) in taken)
            {
                lock (_gate)
                {
                    _waiting.TryAdd(name, change);
                }
            }
        }
    }

    /// <summary>What has expired goes from the disk too, at the start and then every hour.</summary>
    private async Task SweepAsync()
    {
        try
        {
            await _facts.SweepAsync(default);
        }
        catch (StoreException)
        {
            // Nobody sees what has expired; the next time takes it away.
        }
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            for (long? sweptAt = null; await timer.WaitForNextTickAsync(_stop.Token);)
            {
                await TryFlushAsync();
                if (sweptAt is not { } last || _time.GetElapsedTime(last) >= SweepEvery)
                {
                    sweptAt = _time.GetTimestamp();
                    await SweepAsync();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The last flush is the disposal's.
        }
    }

    /// <summary>A fault of ours costs one interval and not all that come after.</summary>
    private async Task TryFlushAsync()
    {
        try
        {
            await FlushAsync();
        }
        catch (Exception exception)
        {
            _log.Write(new MailEvent.Problem($"counters and bans could not be stored by a fault of ours: {exception.Message}"));
        }
    }
}
