using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.State;

/// <summary>
/// The shared state of one site on this node: its keys, what is written behind, and what other nodes write. Every second, and at once
/// when something is urgent, it writes what waits, then reads what is new.
/// </summary>
public sealed class SiteState : IAsyncDisposable
{
    /// <summary>What one node writes the others honour within this time.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Task _running;
    private bool _unreadable;

    private SiteState(ISiteStore store, SiteKeys keys, RegistryFollower registry, IMailLog log, TimeProvider time)
    {
        (Store, Keys, Registry, Log, _time) = (store, keys, registry, log, time);
        Buffer = new WriteBehindBuffer(store, registry, log);
        _running = RunAsync();
    }

    public ISiteStore Store { get; }

    public SiteKeys Keys { get; }

    public RegistryFollower Registry { get; }

    public WriteBehindBuffer Buffer { get; }

    /// <summary>Where what cannot be read is named.</summary>
    public IMailLog Log { get; }

    public static async ValueTask<SiteState> OpenAsync(ISiteStore store, IMailLog log, TimeProvider time, CancellationToken cancel) => new(
        store, await SiteKeys.LoadAsync(store.Keys, cancel), await RegistryFollower.OpenAsync(store, log, cancel), log, time);

    /// <summary>Writes what waits, then reads what is new. Returns when it is done, or could not be done: then it waits on.</summary>
    public async Task FlushAsync()
    {
        await _turn.WaitAsync();
        try
        {
            await Buffer.FlushAsync();
            await PollAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await FlushAsync();
        _stop.Dispose();
        _turn.Dispose();
    }

    private async Task PollAsync()
    {
        try
        {
            await Registry.PollAsync(Buffer.IsPending);
            _unreadable = false;
        }
        catch (StoreException exception)
        {
            if (!_unreadable)
            {
                Log.Write(new MailEvent.Problem($"what other nodes have written cannot be read now: {exception.Message}"));
            }

            _unreadable = true;
        }
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            long? sweptAt = null;
            for (var tick = timer.WaitForNextTickAsync(_stop.Token).AsTask(); ;)
            {
                await Task.WhenAny(tick, Buffer.WaitForUrgentAsync());
                _stop.Token.ThrowIfCancellationRequested();
                await TryAsync(FlushAsync);
                if (!tick.IsCompleted)
                {
                    continue;
                }

                if (!await tick)
                {
                    return; // the timer is gone: with nobody to dispose of us, its finalizer must not run this loop for ever
                }

                tick = timer.WaitForNextTickAsync(_stop.Token).AsTask();
                if (sweptAt is not { } last || _time.GetElapsedTime(last) >= SweepEvery)
                {
                    sweptAt = _time.GetTimestamp();
                    await TryAsync(SweepAsync);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The last flush is the disposal's.
        }
    }

    /// <summary>What has expired goes from the disk too, at the start and then every hour.</summary>
    private async Task SweepAsync()
    {
        try
        {
            await Store.Registry.SweepAsync(default);
            await Store.Counters.SweepAsync(default);
            await Store.Contacts.SweepAsync(default);
        }
        catch (StoreException)
        {
            // Nobody sees what has expired; the next time takes it away.
        }
    }

    /// <summary>A fault of ours costs one interval and not all that come after.</summary>
    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception exception)
        {
            Log.Write(new MailEvent.Problem($"counters and bans could not be stored by a fault of ours: {exception.Message}"));
        }
    }
}
