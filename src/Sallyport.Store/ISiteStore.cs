namespace Sallyport.Store;

/// <summary>What a store keeps for one site: every key in it is the site's own, and nothing crosses.</summary>
public interface ISiteStore
{
    /// <summary>The site that stores without sites have: "default".</summary>
    const string DefaultName = "default";

    string Name { get; }

    IAccounts Accounts { get; }

    ISiteKeys Keys { get; }

    IRegistry Registry { get; }

    ICounters Counters { get; }

    IContacts Contacts { get; }
}

/// <summary>Secrets of a site that are made once and must be the same on every node.</summary>
public interface ISiteKeys
{
    /// <summary>The key of that name; the first to ask for it makes it, and everybody gets that one.</summary>
    /// <param name="make">Called when there is none; its result is dropped when another node was faster.</param>
    ValueTask<byte[]> GetOrAddAsync(string name, Func<byte[]> make, CancellationToken cancel);
}
