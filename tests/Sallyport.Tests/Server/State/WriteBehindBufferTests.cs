using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.State;

public sealed class WriteBehindBufferTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_has_expired_goes_from_the_disk_at_the_start_and_every_hour()
    {
        await using var store = new MemoryStore(_time);
        var swept = new WatchedFacts(store.Facts);
        await store.Facts.SaveAsync([new FactChange.Put(Fact("old", _time.GetUtcNow().AddSeconds(-1)))], Cancel);
        await using var journal = new WriteBehindBuffer(swept, new RecordingLog(), _time);
        var first = swept.Next;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await first.WaitAsync(Cancel));
        journal.Put(Fact("new", _time.GetUtcNow().AddMinutes(30)));
        await journal.FlushAsync();
        var second = swept.Next;
        for (var i = 0; i < 3600; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(1, await second.WaitAsync(Cancel));
    }

    [Fact]
    public async Task Whoever_counts_often_is_asked_once_before_each_write()
    {
        await using var store = new MemoryStore(_time);
        await using var journal = new WriteBehindBuffer(store.Facts, new RecordingLog(), _time);
        var asked = 0;
        journal.Collecting = () => journal.Put(Fact($"{++asked}", null));
        await journal.FlushAsync();
        Assert.Equal("1", Assert.Single(await store.Facts.ListAsync(FactKind.Usage, "", Cancel)).Key);
    }

    [Fact]
    public async Task A_fault_of_ours_costs_one_interval_and_not_all_that_come_after()
    {
        await using var store = new MemoryStore(_time);
        var log = new RecordingLog();
        var swept = new WatchedFacts(store.Facts);
        await using var journal = new WriteBehindBuffer(swept, log, _time);
        journal.Collecting = () => throw new InvalidOperationException("a fault");
        var first = swept.Next;
        _time.Advance(TimeSpan.FromSeconds(1));
        await first.WaitAsync(Cancel); // comes after the write that failed
        Assert.Contains("a fault", Assert.Single(log.Events.OfType<MailEvent.Problem>()).What, StringComparison.Ordinal);
        journal.Collecting = null;
    }

    private static Fact Fact(string key, DateTimeOffset? expiresAt) => new(FactKind.Usage, key, new byte[] { 1 }, expiresAt);

    private sealed class WatchedFacts(IFacts facts) : IFacts
    {
        private TaskCompletionSource<int> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<int> Next => _next.Task;

        public ValueTask<Fact?> FindAsync(FactKind kind, string key, CancellationToken cancel) => facts.FindAsync(kind, key, cancel);

        public ValueTask<IReadOnlyList<Fact>> ListAsync(FactKind kind, string keyPrefix, CancellationToken cancel) =>
            facts.ListAsync(kind, keyPrefix, cancel);

        public ValueTask SaveAsync(IReadOnlyList<FactChange> changes, CancellationToken cancel) => facts.SaveAsync(changes, cancel);

        public async ValueTask<int> SweepAsync(CancellationToken cancel)
        {
            var swept = await facts.SweepAsync(cancel);
            Interlocked.Exchange(ref _next, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult(swept);
            return swept;
        }
    }
}
