using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.State;

public sealed class WriteBehindBufferTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));
    private readonly RecordingLog _log = new();
    private readonly MemoryStore _store;

    public WriteBehindBufferTests() => _store = new MemoryStore(_time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task What_has_expired_goes_from_the_disk_at_the_start_and_every_hour()
    {
        var site = new WatchedSite(_store.Site());
        await _store.PutAsync(RegistryKind.Ban, "old", "{}", _time.GetUtcNow().AddSeconds(-1));
        await using var state = await SiteState.OpenAsync(site, _log, _time, Cancel);
        var first = site.Swept;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await first.WaitAsync(Cancel));
        state.Buffer.Put(RegistryKind.Ban, "new", new byte[] { 1 }, _time.GetUtcNow().AddMinutes(30));
        await state.FlushAsync();
        var second = site.Swept;
        for (var i = 0; i < 3600; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(1, await second.WaitAsync(Cancel));
    }

    [Fact]
    public async Task Whoever_counts_often_is_asked_once_before_each_write()
    {
        await using var state = await _store.StateAsync(_log, _time);
        var asked = 0;
        state.Buffer.Collecting = () => state.Buffer.Put(RegistryKind.Grant, $"{++asked}", new byte[] { 1 }, null);
        await state.FlushAsync();
        Assert.Equal("1", Assert.Single(await _store.EntriesAsync(RegistryKind.Grant)).Key);
        state.Buffer.Collecting = null;
    }

    [Fact]
    public async Task A_fault_of_ours_costs_one_interval_and_not_all_that_come_after()
    {
        var site = new WatchedSite(_store.Site());
        await using var state = await SiteState.OpenAsync(site, _log, _time, Cancel);
        state.Buffer.Collecting = () => throw new InvalidOperationException("a fault");
        var swept = site.Swept;
        _time.Advance(TimeSpan.FromSeconds(1));
        await swept.WaitAsync(Cancel); // comes after the write that failed
        Assert.Contains("a fault", Assert.Single(_log.Events.OfType<MailEvent.Problem>()).What, StringComparison.Ordinal);
        state.Buffer.Collecting = null;
    }

    [Fact]
    public async Task What_is_urgent_is_written_without_the_clock_and_by_somebody_else()
    {
        await using var state = await _store.StateAsync(_log, _time);
        state.Buffer.Put(RegistryKind.Ban, "192.0.2.7", new byte[] { 1 }, null, isUrgent: true);
        while ((await _store.EntriesAsync(RegistryKind.Ban)).Count == 0)
        {
            await Task.Yield();
            Cancel.ThrowIfCancellationRequested();
        }
    }

    [Fact]
    public async Task What_the_store_does_not_take_waits_and_is_told_of_once_for_each_time()
    {
        var site = new WatchedSite(_store.Site()) { IsFull = true };
        await using var state = await SiteState.OpenAsync(site, _log, _time, Cancel);
        state.Buffer.Put(RegistryKind.Ban, "192.0.2.7", new byte[] { 1 }, null);
        state.Buffer.Add(new CounterDelta(CounterKind.Usage, "site", 1, 0, 2, _time.GetUtcNow().AddHours(1)));
        await state.FlushAsync();
        await state.FlushAsync();
        Assert.Contains("wait in memory: disk full", Assert.Single(_log.Events.OfType<MailEvent.Problem>()).What, StringComparison.Ordinal);
        state.Buffer.Add(new CounterDelta(CounterKind.Usage, "site", 1, 0, 3, _time.GetUtcNow().AddHours(1)));
        site.IsFull = false;
        await state.FlushAsync();
        Assert.Single(await _store.EntriesAsync(RegistryKind.Ban));
        Assert.Equal(5, Assert.Single(await _store.Site().Counters.ListAsync(CounterKind.Usage, "", Cancel)).Value);
    }

    [Fact]
    public async Task What_finds_no_room_is_dropped_and_reported_with_its_number_once_and_at_the_end()
    {
        var site = new WatchedSite(_store.Site()) { IsFull = true };
        var follower = await RegistryFollower.OpenAsync(site, _log, Cancel);
        var buffer = new WriteBehindBuffer(site, follower, _log, waitingMax: 3);
        for (var i = 0; i < 5; i++)
        {
            buffer.Put(RegistryKind.Ban, $"{i}", new byte[] { 1 }, null);
        }

        buffer.Put(RegistryKind.Ban, "0", new byte[] { 2 }, null); // has its place
        await buffer.FlushAsync();
        buffer.Put(RegistryKind.Ban, "6", new byte[] { 1 }, null);
        await buffer.FlushAsync();
        site.IsFull = false;
        await buffer.FlushAsync();
        await buffer.FlushAsync();
        Assert.Equal(
            [
                "counters and bans cannot be stored now and wait in memory: disk full",
                "more than 3 counters and bans wait to be stored: what comes beyond is dropped, 2 so far",
                "counters and bans are stored again; 3 were dropped in all",
            ],
            _log.Events.OfType<MailEvent.Problem>().Select(problem => problem.What));
        Assert.Equal(["0", "1", "2"], (await _store.EntriesAsync(RegistryKind.Ban)).Select(entry => entry.Key));
    }

    /// <summary>A site whose sweeps are told of, and whose disk can be full.</summary>
    private sealed class WatchedSite(ISiteStore site) : ISiteStore, IRegistry, ICounters
    {
        private TaskCompletionSource<int> _swept = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsFull { get; set; }

        public Task<int> Swept => _swept.Task;

        public string Name => site.Name;

        public IAccounts Accounts => site.Accounts;

        public ISiteKeys Keys => site.Keys;

        public IRegistry Registry => this;

        public ICounters Counters => this;

        public IContacts Contacts => site.Contacts;

        public ValueTask<RegistryEntry?> FindAsync(RegistryKind kind, string key, CancellationToken cancel) =>
            site.Registry.FindAsync(kind, key, cancel);

        public ValueTask<IReadOnlyList<RegistryEntry>> ListAsync(RegistryKind kind, string keyPrefix, CancellationToken cancel) =>
            site.Registry.ListAsync(kind, keyPrefix, cancel);

        ValueTask<long> IRegistry.CursorAsync(CancellationToken cancel) => site.Registry.CursorAsync(cancel);

        ValueTask<RegistryChanges> IRegistry.ChangesSinceAsync(long cursor, int entriesMax, CancellationToken cancel) =>
            site.Registry.ChangesSinceAsync(cursor, entriesMax, cancel);

        public ValueTask<RegistryResult> WriteAsync(IReadOnlyList<RegistryWrite> writes, CancellationToken cancel) =>
            IsFull ? throw new StoreException("disk full") : site.Registry.WriteAsync(writes, cancel);

        async ValueTask<int> IRegistry.SweepAsync(CancellationToken cancel)
        {
            var swept = await site.Registry.SweepAsync(cancel);
            Interlocked.Exchange(ref _swept, new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult(swept);
            return swept;
        }

        public ValueTask AddAsync(IReadOnlyList<CounterDelta> deltas, CancellationToken cancel) =>
            IsFull ? throw new StoreException("disk full") : site.Counters.AddAsync(deltas, cancel);

        ValueTask<IReadOnlyList<Counter>> ICounters.ListAsync(CounterKind kind, string keyPrefix, CancellationToken cancel) =>
            site.Counters.ListAsync(kind, keyPrefix, cancel);

        ValueTask<long> ICounters.CursorAsync(CancellationToken cancel) => site.Counters.CursorAsync(cancel);

        ValueTask<CounterChanges> ICounters.ChangesSinceAsync(long cursor, int countersMax, CancellationToken cancel) =>
            site.Counters.ChangesSinceAsync(cursor, countersMax, cancel);

        ValueTask<int> ICounters.SweepAsync(CancellationToken cancel) => site.Counters.SweepAsync(cancel);
    }
}
