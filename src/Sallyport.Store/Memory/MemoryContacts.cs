namespace Sallyport.Store.Memory;

internal sealed class MemoryContacts(TimeProvider time) : IContacts
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Login, long Segment), (HashSet<ulong> Hashes, DateTimeOffset ExpiresAt, long Version)> _segments = [];
    private long _version;

    public ValueTask<ContactSegments> ListAsync(string login, long cursor, CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(new ContactSegments(
            [
                .. _segments.Where(pair => pair.Key.Login == login && pair.Value.Version > cursor && pair.Value.ExpiresAt > time.GetUtcNow())
                    .OrderBy(pair => pair.Key.Segment).Select(pair => new ContactSegment(pair.Key.Segment, [.. pair.Value.Hashes])),
            ], _version));
        }
    }

    public ValueTask WriteAsync(IReadOnlyList<ContactChange> changes, CancellationToken cancel)
    {
        lock (_gate)
        {
            foreach (var change in changes)
            {
                var name = (change.Login, change.Segment);
                if (change.Hashes.Count == 0)
                {
                    _segments.Remove(name);
                    continue;
                }

                var hashes = _segments.TryGetValue(name, out var found) ? found.Hashes : [];
                hashes.UnionWith(change.Hashes);
                _segments[name] = (hashes, change.ExpiresAt, ++_version);
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<int> SweepAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            var gone = _segments.Where(pair => pair.Value.ExpiresAt <= time.GetUtcNow()).Select(pair => pair.Key).ToList();
            gone.ForEach(name => _segments.Remove(name));
            return ValueTask.FromResult(gone.Count);
        }
    }
}
