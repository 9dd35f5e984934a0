namespace Sallyport.Store.Memory;

internal sealed class MemorySiteStore(string name, TimeProvider time) : ISiteStore
{
    public string Name => name;

    public IAccounts Accounts { get; } = new MemoryAccounts();

    public ISiteKeys Keys { get; } = new MemorySiteKeys();

    public IRegistry Registry { get; } = new MemoryRegistry(time);

    public ICounters Counters { get; } = new MemoryCounters(time);

    public IContacts Contacts { get; } = new MemoryContacts(time);
}
