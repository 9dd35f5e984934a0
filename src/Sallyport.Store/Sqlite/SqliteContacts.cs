using System.Buffers.Binary;

namespace Sallyport.Store.Sqlite;

/// <summary>A segment is a BLOB: a version, then hashes of eight octets, little-endian.</summary>
internal sealed class SqliteContacts(string site, GroupWriter writer, Readers readers, TimeProvider time) : IContacts
{
    private const byte Version = 1;

    public ValueTask<ContactSegments> ListAsync(string login, long cursor, CancellationToken cancel) => readers.ReadAsync(
        statements =>
        {
            var number = statements.FindSite(site);
            var next = SiteVersions.Current(statements, number); // before the rows, as in the registry
            var segments = new List<ContactSegment>();
            using var row = statements.Query(
                "SELECT segment, hashes FROM contact WHERE site = ?1 AND login = ?2 AND version > ?3 AND expires_at > ?4 ORDER BY segment",
                number, login, cursor, Now());
            while (row.Read())
            {
                segments.Add(new ContactSegment(row.GetInt64(0), Read(row.GetOctets(1))));
            }

            return new ContactSegments(segments, next);
        },
        cancel);

    public async ValueTask WriteAsync(IReadOnlyList<ContactChange> changes, CancellationToken cancel) => await writer.Enqueue(statements =>
    {
        var number = statements.SiteNumber(site);
        foreach (var change in changes)
        {
            Write(statements, number, change);
        }

        return changes.Count;
    });

    public async ValueTask<int> SweepAsync(CancellationToken cancel)
    {
        var now = Now();
        return await writer.Enqueue(statements =>
            statements.Run("DELETE FROM contact WHERE site = ?1 AND expires_at <= ?2", statements.SiteNumber(site), now));
    }

    private static void Write(Statements statements, long site, ContactChange change)
    {
        if (change.Hashes.Count == 0)
        {
            statements.Run("DELETE FROM contact WHERE site = ?1 AND login = ?2 AND segment = ?3", site, change.Login, change.Segment);
            return;
        }

        var before = statements.Octets(
            "SELECT hashes FROM contact WHERE site = ?1 AND login = ?2 AND segment = ?3", site, change.Login, change.Segment);
        List<ulong> all = [.. (before is null ? [] : Read(before)).Union(change.Hashes)];
        var octets = new byte[1 + (all.Count * sizeof(ulong))];
        octets[0] = Version;
        for (var i = 0; i < all.Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(octets.AsSpan(1 + (i * sizeof(ulong))), all[i]);
        }

        statements.Run("REPLACE INTO contact (site, login, segment, hashes, expires_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            site, change.Login, change.Segment, octets, Rows.ToMicroseconds(change.ExpiresAt), SiteVersions.Take(statements, site, 1));
    }

    /// <summary>Empty for a form of a later release.</summary>
    private static List<ulong> Read(ReadOnlySpan<byte> octets)
    {
        var hashes = new List<ulong>();
        if (octets is [Version, .. var rest])
        {
            for (; rest.Length >= sizeof(ulong); rest = rest[sizeof(ulong)..])
            {
                hashes.Add(BinaryPrimitives.ReadUInt64LittleEndian(rest));
            }
        }

        return hashes;
    }

    private long Now() => Rows.ToMicroseconds(time.GetUtcNow());
}
