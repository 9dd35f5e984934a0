namespace Sallyport.Store;

/// <summary>
/// Counts of a site, added up in the store: what two nodes count at once is the sum, and nobody overwrites anybody. A node holds what it
/// needs in memory, adds its own counts every second and reads those of others since its cursor. To forget what one knows of, subtract it:
/// what another node has added meanwhile stays.
/// </summary>
public interface ICounters
{
    /// <summary>Adds all in one commit. Returns when they are on stable storage.</summary>
    /// <exception cref="StoreException">The disk is full or the store has failed: nothing was added, or a restart tells.</exception>
    ValueTask AddAsync(IReadOnlyList<CounterDelta> deltas, CancellationToken cancel);

    /// <summary>All counts of a kind whose key begins so, by key and bucket. Expired ones are left out.</summary>
    ValueTask<IReadOnlyList<Counter>> ListAsync(CounterKind kind, string keyPrefix, CancellationToken cancel);

    /// <summary>The cursor of this moment: for who lists what there is and follows what comes.</summary>
    ValueTask<long> CursorAsync(CancellationToken cancel);

    /// <summary>
    /// Counts that changed after <paramref name="cursor"/>, with their whole value, in order of version; 0 reads from the beginning.
    /// </summary>
    /// <param name="countersMax">Counts in one answer; a full answer is followed by another call with its cursor.</param>
    ValueTask<CounterChanges> ChangesSinceAsync(long cursor, int countersMax, CancellationToken cancel);

    /// <summary>Removes what has expired. Returns how many.</summary>
    ValueTask<int> SweepAsync(CancellationToken cancel);
}

/// <summary>Numbers are stored: they only grow. They are those the counts had before the counters.</summary>
public enum CounterKind
{
    /// <summary>Failed logins. Bucket: milliseconds since 1970.</summary>
    LoginFailures = 2,

    /// <summary>What a login, a group or the site has used of its limits, and what of it the breaker goes by.</summary>
    Usage = 7,

    /// <summary>What a login has sent in an hour of the calendar, to learn what is usual for it.</summary>
    Pattern = 14,
}

/// <param name="Key">1 to 512 characters; compared byte by byte.</param>
/// <param name="Bucket">Which stretch of time, in the kind's own unit; 0 where there is only one.</param>
/// <param name="Measure">What is counted, by the kind's own number.</param>
/// <param name="ExpiresAt">The count lives at least so long; a later one prolongs it.</param>
public sealed record CounterDelta(CounterKind Kind, string Key, long Bucket, int Measure, long Delta, DateTimeOffset ExpiresAt);

/// <param name="Value">The sum of all that was added.</param>
/// <param name="Version">Of the site: every change has a higher one than all before it.</param>
public sealed record Counter(CounterKind Kind, string Key, long Bucket, int Measure, long Value, DateTimeOffset ExpiresAt, long Version);

/// <param name="Cursor">For the next call.</param>
public sealed record CounterChanges(IReadOnlyList<Counter> Counters, long Cursor);
