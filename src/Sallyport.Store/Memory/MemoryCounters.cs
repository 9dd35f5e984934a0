namespace Sallyport.Store.Memory;

internal sealed class MemoryCounters(TimeProvider time) : ICounters
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(CounterKind Kind, string Key, long Bucket, int Measure), Counter> _counters = [];
    private long _version;

    public ValueTask AddAsync(IReadOnlyList<CounterDelta> deltas, CancellationToken cancel)
    {
        lock (_gate)
        {
            foreach (var delta in deltas)
            {
                var name = (delta.Kind, delta.Key, delta.Bucket, delta.Measure);
                var before = _counters.TryGetValue(name, out var found) && IsLive(found) ? found : null;
                var expires = before is not null && before.ExpiresAt > delta.ExpiresAt ? before.ExpiresAt : delta.ExpiresAt;
                _counters[name] = new Counter(
                    delta.Kind, delta.Key, delta.Bucket, delta.Measure, (before?.Value ?? 0) + delta.Delta, expires, ++_version);
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<Counter>> ListAsync(CounterKind kind, string keyPrefix, CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<Counter>>(
            [
                .. _counters.Values.Where(one => one.Kind == kind && one.Key.StartsWith(keyPrefix, StringComparison.Ordinal) && IsLive(one))
                    .OrderBy(one => one.Key, StringComparer.Ordinal).ThenBy(one => one.Bucket).ThenBy(one => one.Measure),
            ]);
        }
    }

    public ValueTask<long> CursorAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(_version);
        }
    }

    public ValueTask<CounterChanges> ChangesSinceAsync(long cursor, int countersMax, CancellationToken cancel)
    {
        lock (_gate)
        {
            var changed = _counters.Values.Where(one => one.Version > cursor && IsLive(one)).OrderBy(one => one.Version).Take(countersMax).ToList();
            return ValueTask.FromResult(new CounterChanges(changed, changed.Count == countersMax ? changed[^1].Version : _version));
        }
    }

    public ValueTask<int> SweepAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            var gone = _counters.Where(pair => !IsLive(pair.Value)).Select(pair => pair.Key).ToList();
            gone.ForEach(name => _counters.Remove(name));
            return ValueTask.FromResult(gone.Count);
        }
    }

    private bool IsLive(Counter counter) => counter.ExpiresAt > time.GetUtcNow();
}
