namespace Sallyport.Store;

/// <summary>
/// Small facts that must survive a restart and may expire: bans, counters, networks a login came from, app passwords, grants by
/// command. Each kind has one owner in the server, who alone knows what a value means and never changes what it meant.
/// </summary>
public interface IFacts
{
    /// <summary>Null when there is none or it has expired.</summary>
    ValueTask<Fact?> FindAsync(FactKind kind, string key, CancellationToken cancel);

    /// <summary>All of a kind whose key begins so, by key. Expired ones are left out.</summary>
    ValueTask<IReadOnlyList<Fact>> ListAsync(FactKind kind, string keyPrefix, CancellationToken cancel);

    /// <summary>Applies all changes in one commit, in order. Returns when they are on stable storage.</summary>
    /// <exception cref="StoreException">The disk is full or the store has failed: nothing was changed, or a restart tells.</exception>
    ValueTask SaveAsync(IReadOnlyList<FactChange> changes, CancellationToken cancel);

    /// <summary>Removes what has expired. Returns how many.</summary>
    ValueTask<int> SweepAsync(CancellationToken cancel);
}

/// <summary>Whose fact it is. Numbers are stored: they only grow.</summary>
public enum FactKind
{
    /// <summary>A network that may not connect for a while.</summary>
    Ban = 1,

    /// <summary>Failed logins, counted.</summary>
    LoginFailures = 2,

    /// <summary>A network a login has succeeded from.</summary>
    KnownNetwork = 3,

    /// <summary>A secret that was refused again and again: a forgotten device.</summary>
    StaleSecret = 4,

    /// <summary>An app password of a login.</summary>
    AppPassword = 5,

    /// <summary>A grant made by command.</summary>
    Grant = 6,

    /// <summary>What a login, group or site has used of its limits.</summary>
    Usage = 7,

    /// <summary>A recipient a login has written to before.</summary>
    Contact = 8,

    /// <summary>What is usual for a login.</summary>
    Baseline = 9,

    /// <summary>A login that may not send for now.</summary>
    Suspension = 10,

    /// <summary>A salted verifier of a login that succeeded, for the time its directory is down.</summary>
    OutageVerifier = 11,

    /// <summary>A stronger form of an imported password hash.</summary>
    Rehash = 12,

    /// <summary>What was seen of a client program.</summary>
    Client = 13,
}

/// <param name="Key">1 to 512 characters, unique within its kind; compared octet by octet.</param>
/// <param name="ExpiresAt">From then on it is as if it was never there; null for never.</param>
public sealed record Fact(FactKind Kind, string Key, ReadOnlyMemory<byte> Value, DateTimeOffset? ExpiresAt);

public abstract record FactChange
{
    private FactChange()
    {
    }

    /// <summary>Adds or replaces.</summary>
    public sealed record Put(Fact Fact) : FactChange;

    public sealed record Remove(FactKind Kind, string Key) : FactChange;
}
