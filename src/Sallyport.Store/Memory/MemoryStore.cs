using System.Collections.Concurrent;

namespace Sallyport.Store.Memory;

/// <summary>The twin of the durable stores: the same behaviour, gone with the process. For tests and simulations.</summary>
public sealed class MemoryStore : IStore
{
    private readonly MemoryQueue _queue;
    private readonly ConcurrentDictionary<string, MemorySiteStore> _sites;
    private readonly TimeProvider _time;

    public MemoryStore()
        : this(TimeProvider.System)
    {
    }

    public MemoryStore(TimeProvider time)
        : this(new MemoryQueue(), new ConcurrentDictionary<string, MemorySiteStore>(StringComparer.Ordinal), "memory", time)
    {
    }

    private MemoryStore(MemoryQueue queue, ConcurrentDictionary<string, MemorySiteStore> sites, string name, TimeProvider time)
    {
        (_queue, _sites, _time) = (queue, sites, time);
        Spool = new MemorySpool(queue, name, time);
    }

    public MemoryFaults Faults => _queue.Faults;

    public ISpool Spool { get; }

    public IAccounts Accounts => SiteOf(ISiteStore.DefaultName).Accounts;

    public ISiteStore Site(string name) => SiteOf(name);

    /// <summary>Another client of the same store, with a node of its own.</summary>
    public MemoryStore Connect(string name) => new(_queue, _sites, name, _time);

    public ValueTask DisposeAsync() => Spool.DisposeAsync();

    private MemorySiteStore SiteOf(string name) => _sites.GetOrAdd(name, static (site, time) => new MemorySiteStore(site, time), _time);
}

/// <summary>What a test makes go wrong.</summary>
public sealed class MemoryFaults
{
    /// <summary>The next commit fails for good, as a failed flush does.</summary>
    public bool FailNextCommit { get; set; }

    public bool DiskLow { get; set; }

    /// <summary>Body octets wait for this before they are taken.</summary>
    public Task WriteGate { get; set; } = Task.CompletedTask;

    /// <summary>A commit waits for this before it is done.</summary>
    public Task CommitGate { get; set; } = Task.CompletedTask;
}
