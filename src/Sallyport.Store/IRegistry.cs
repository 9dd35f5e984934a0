namespace Sallyport.Store;

/// <summary>
/// What every node of a site must agree on: small entries that each node holds in memory and follows by version. Revocations,
/// suspensions, grants, bans. Written by compare-and-set, so that no change is lost to another node's.
/// </summary>
public interface IRegistry
{
    /// <summary>A node that has not followed for longer reads everything again.</summary>
    static readonly TimeSpan RemovalsKnownFor = TimeSpan.FromDays(1);

    /// <summary>Null when there is none or it has expired.</summary>
    ValueTask<RegistryEntry?> FindAsync(RegistryKind kind, string key, CancellationToken cancel);

    /// <summary>Entries of a kind whose key begins so, by key. Expired ones are left out.</summary>
    ValueTask<IReadOnlyList<RegistryEntry>> ListAsync(RegistryKind kind, string keyPrefix, CancellationToken cancel);

    /// <summary>The cursor of this moment: for who lists what there is and follows what comes.</summary>
    ValueTask<long> CursorAsync(CancellationToken cancel);

    /// <summary>
    /// What was written or removed after <paramref name="cursor"/>, of all kinds, in order of version; 0 reads from the beginning.
    /// </summary>
    /// <param name="entriesMax">Entries in one answer; a full answer is followed by another call with its cursor.</param>
    ValueTask<RegistryChanges> ChangesSinceAsync(long cursor, int entriesMax, CancellationToken cancel);

    /// <summary>Applies all writes in one commit, or none of them. Returns when they are on stable storage.</summary>
    /// <exception cref="StoreException">The disk is full or the store has failed: nothing was changed, or a restart tells.</exception>
    ValueTask<RegistryResult> WriteAsync(IReadOnlyList<RegistryWrite> writes, CancellationToken cancel);

    /// <summary>Removes what has expired, and the traces of removals older than <see cref="RemovalsKnownFor"/>. Returns how many.</summary>
    ValueTask<int> SweepAsync(CancellationToken cancel);
}

/// <summary>Numbers are stored: they only grow. They are those the entries had before the registry.</summary>
public enum RegistryKind
{
    /// <summary>A network that may not connect for a while.</summary>
    Ban = 1,

    /// <summary>A network a login has succeeded from.</summary>
    KnownNetwork = 3,

    /// <summary>An app password of a login.</summary>
    AppPassword = 5,

    /// <summary>A grant made by command.</summary>
    Grant = 6,

    /// <summary>What is usual for a login, and whether the breaker has stopped it.</summary>
    Baseline = 9,

    /// <summary>A login that may not send for now.</summary>
    Suspension = 10,

    /// <summary>A salted verifier of a login that succeeded, for the time its directory is down.</summary>
    OutageVerifier = 11,

    /// <summary>A stronger form of an imported password hash.</summary>
    Rehash = 12,
}

/// <param name="Key">1 to 512 characters, unique within its kind; compared byte by byte.</param>
/// <param name="Value">Null in <see cref="RegistryChanges"/> where the entry was removed.</param>
/// <param name="ExpiresAt">From then on it is as if it had been removed; null for never.</param>
/// <param name="Version">Of the site: every write has a higher one than all before it.</param>
public sealed record RegistryEntry(RegistryKind Kind, string Key, ReadOnlyMemory<byte>? Value, DateTimeOffset? ExpiresAt, long Version);

/// <param name="Cursor">For the next call.</param>
/// <param name="IsComplete">False when removals since the cursor are no longer known: read everything again from 0 and forget the rest.</param>
public sealed record RegistryChanges(IReadOnlyList<RegistryEntry> Entries, long Cursor, bool IsComplete);

/// <param name="Value">Null removes.</param>
/// <param name="Expected">The version the entry must have; 0 when there must be none; null for whatever is there.</param>
public sealed record RegistryWrite(RegistryKind Kind, string Key, ReadOnlyMemory<byte>? Value, DateTimeOffset? ExpiresAt, long? Expected = null);

public abstract record RegistryResult
{
    private RegistryResult()
    {
    }

    /// <param name="Version">Of the last write; those before it have the numbers before it.</param>
    public sealed record Written(long Version) : RegistryResult;

    /// <summary>Another node was faster: nothing was written.</summary>
    /// <param name="Found">The entry as it is; null when there is none.</param>
    public sealed record Conflict(RegistryWrite Write, RegistryEntry? Found) : RegistryResult;
}
