namespace Sallyport.Store.Memory;

internal sealed class MemorySiteStore(string name) : ISiteStore
{
    public string Name => name;

    public IAccounts Accounts { get; } = new MemoryAccounts();

    public MemorySettings Settings { get; } = new();

    public ISiteKeys Keys => Settings;

    public IRegistry Registry => throw new NotSupportedException();

    public ICounters Counters => throw new NotSupportedException();
}
