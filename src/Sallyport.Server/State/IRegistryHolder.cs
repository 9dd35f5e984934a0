using Sallyport.Store;

namespace Sallyport.Server.State;

/// <summary>Who holds one kind of registry entries in memory.</summary>
public interface IRegistryHolder
{
    RegistryKind Kind { get; }

    /// <summary>
    /// An entry as another node has written it, or as it was found at the start; without a value it was removed. Under no lock but the
    /// holder's own. What it throws names a damaged entry: that is logged and passed over.
    /// </summary>
    void Apply(RegistryEntry entry);

    /// <summary>An entry that could not be read.</summary>
    void PassOver(RegistryEntry damaged)
    {
    }

    /// <summary>Keys of all it holds, for the time when everything must be read again.</summary>
    IReadOnlyCollection<string> Keys { get; }
}

/// <summary>Who holds one kind of counts in memory.</summary>
public interface ICounterHolder
{
    CounterKind Kind { get; }

    /// <summary>
    /// The count as the store has it, without what this node has not written yet: <see cref="WriteBehindBuffer.PendingOf"/>.
    /// </summary>
    void Apply(Counter counter);
}
