namespace Sallyport.Store;

/// <summary>
/// Whom the logins of a site have written to, by hash: up to a hundred thousand of a login, read when that login sends and not held by
/// every node, hence neither registry nor counters. A login's contacts lie in segments that only grow: what two nodes learn is united.
/// </summary>
public interface IContacts
{
    /// <summary>
    /// The segments of a login that have changed after <paramref name="cursor"/>, by number; 0 reads all. Expired ones are left out.
    /// </summary>
    ValueTask<ContactSegments> ListAsync(string login, long cursor, CancellationToken cancel);

    /// <summary>Adds to segments, or drops whole ones, in one commit. Returns when it is on stable storage.</summary>
    /// <exception cref="StoreException">The disk is full or the store has failed: nothing was changed, or a restart tells.</exception>
    ValueTask WriteAsync(IReadOnlyList<ContactChange> changes, CancellationToken cancel);

    /// <summary>Removes what has expired. Returns how many.</summary>
    ValueTask<int> SweepAsync(CancellationToken cancel);
}

/// <param name="Login">1 to 480 characters.</param>
/// <param name="Segment">When it was opened, in milliseconds since 1970.</param>
/// <param name="Hashes">To add; empty drops the segment.</param>
public sealed record ContactChange(string Login, long Segment, IReadOnlyList<ulong> Hashes, DateTimeOffset ExpiresAt);

public sealed record ContactSegment(long Segment, IReadOnlyList<ulong> Hashes);

/// <param name="Cursor">For the next call.</param>
public sealed record ContactSegments(IReadOnlyList<ContactSegment> Segments, long Cursor);
