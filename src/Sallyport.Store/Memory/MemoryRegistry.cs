namespace Sallyport.Store.Memory;

internal sealed class MemoryRegistry(TimeProvider time) : IRegistry
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(RegistryKind Kind, string Key), (RegistryEntry Entry, DateTimeOffset RemovedAt)> _entries = [];
    private long _version;
    private long _forgotten;

    public ValueTask<RegistryEntry?> FindAsync(RegistryKind kind, string key, CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(Find(kind, key));
        }
    }

    public ValueTask<IReadOnlyList<RegistryEntry>> ListAsync(RegistryKind kind, string keyPrefix, CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<RegistryEntry>>(
            [
                .. _entries.Values.Select(one => one.Entry)
                    .Where(one => one.Kind == kind && one.Key.StartsWith(keyPrefix, StringComparison.Ordinal) && IsLive(one))
                    .OrderBy(one => one.Key, StringComparer.Ordinal),
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

    public ValueTask<RegistryChanges> ChangesSinceAsync(long cursor, int entriesMax, CancellationToken cancel)
    {
        lock (_gate)
        {
            var changed = _entries.Values.Select(one => one.Entry)
                .Where(one => one.Version > cursor && (one.Value is null || IsLive(one)))
                .OrderBy(one => one.Version).Take(entriesMax).ToList();
            var next = changed.Count == entriesMax ? changed[^1].Version : _version;
            return ValueTask.FromResult(new RegistryChanges(changed, next, cursor == 0 || cursor >= _forgotten));
        }
    }

    public ValueTask<RegistryResult> WriteAsync(IReadOnlyList<RegistryWrite> writes, CancellationToken cancel)
    {
        lock (_gate)
        {
            foreach (var write in writes)
            {
                var found = Find(write.Kind, write.Key);
                if (write.Expected is { } expected && expected != (found?.Version ?? 0))
                {
                    return ValueTask.FromResult<RegistryResult>(new RegistryResult.Conflict(write, found));
                }
            }

            foreach (var write in writes)
            {
                ReadOnlyMemory<byte>? value = write.Value is { } octets ? octets.ToArray() : default(ReadOnlyMemory<byte>?);
                _entries[(write.Kind, write.Key)] =
                    (new RegistryEntry(write.Kind, write.Key, value, value is null ? null : write.ExpiresAt, ++_version), time.GetUtcNow());
            }

            return ValueTask.FromResult<RegistryResult>(new RegistryResult.Written(_version));
        }
    }

    public ValueTask<int> SweepAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var gone = _entries.Where(pair => pair.Value.Entry.Value is null
                ? now - pair.Value.RemovedAt >= IRegistry.RemovalsKnownFor
                : !IsLive(pair.Value.Entry)).ToList();
            foreach (var (name, (entry, _)) in gone)
            {
                _entries.Remove(name);
                _forgotten = entry.Value is null ? Math.Max(_forgotten, entry.Version) : _forgotten;
            }

            return ValueTask.FromResult(gone.Count);
        }
    }

    private RegistryEntry? Find(RegistryKind kind, string key) =>
        _entries.TryGetValue((kind, key), out var found) && IsLive(found.Entry) ? found.Entry : null;

    private bool IsLive(RegistryEntry entry) => entry.Value is not null && (entry.ExpiresAt is null || entry.ExpiresAt > time.GetUtcNow());
}
