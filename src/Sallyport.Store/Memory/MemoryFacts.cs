namespace Sallyport.Store.Memory;

internal sealed class MemoryFacts(TimeProvider time) : IFacts
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(FactKind Kind, string Key), Fact> _facts = new(Comparer<(FactKind Kind, string Key)>.Create(
        (a, b) => a.Kind != b.Kind ? a.Kind.CompareTo(b.Kind) : string.CompareOrdinal(a.Key, b.Key)));

    public ValueTask<Fact?> FindAsync(FactKind kind, string key, CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(_facts.TryGetValue((kind, key), out var fact) && IsLive(fact) ? fact : null);
        }
    }

    public ValueTask<IReadOnlyList<Fact>> ListAsync(FactKind kind, string keyPrefix, CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<Fact>>([.. _facts.Values.Where(fact =>
                fact.Kind == kind && fact.Key.StartsWith(keyPrefix, StringComparison.Ordinal) && IsLive(fact))]);
        }
    }

    public ValueTask SaveAsync(IReadOnlyList<FactChange> changes, CancellationToken cancel)
    {
        lock (_gate)
        {
            foreach (var change in changes)
            {
                switch (change)
                {
                    case FactChange.Put { Fact: var fact }:
                        _facts[(fact.Kind, fact.Key)] = fact with { Value = fact.Value.ToArray() };
                        break;
                    case FactChange.Remove remove:
                        _facts.Remove((remove.Kind, remove.Key));
                        break;
                }
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<int> SweepAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            var gone = _facts.Where(entry => !IsLive(entry.Value)).Select(entry => entry.Key).ToList();
            gone.ForEach(key => _facts.Remove(key));
            return ValueTask.FromResult(gone.Count);
        }
    }

    private bool IsLive(Fact fact) => fact.ExpiresAt is null || fact.ExpiresAt > time.GetUtcNow();
}
