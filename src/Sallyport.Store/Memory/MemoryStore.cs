using System.Collections.Concurrent;

namespace Sallyport.Store.Memory;

/// <summary>The twin of the durable stores: the same behaviour, gone with the process. For tests and simulations.</summary>
public sealed class MemoryStore(TimeProvider time) : IStore
{
    private readonly MemorySpool _spool = new();
    private readonly ConcurrentDictionary<string, MemorySiteStore> _sites = new(StringComparer.Ordinal);

    public MemoryStore()
        : this(TimeProvider.System)
    {
    }

    public MemoryFaults Faults => _spool.Faults;

    public ISpool Spool => _spool;

    public IAccounts Accounts => SiteOf(ISiteStore.DefaultName).Accounts;

    public ISettings Settings => SiteOf(ISiteStore.DefaultName).Settings;

    public IFacts Facts { get; } = new MemoryFacts(time);

    public ISiteStore Site(string name) => SiteOf(name);

    public ValueTask DisposeAsync() => _spool.DisposeAsync();

    private MemorySiteStore SiteOf(string name) => _sites.GetOrAdd(name, static site => new MemorySiteStore(site));
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
