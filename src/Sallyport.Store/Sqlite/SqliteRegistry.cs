namespace Sallyport.Store.Sqlite;

internal sealed class SqliteRegistry(string site, GroupWriter writer, Readers readers, TimeProvider time) : IRegistry
{
    private const string Columns = "kind, key, value, expires_at, version";
    private const string Live = "value IS NOT NULL AND (expires_at IS NULL OR expires_at > ?1)";

    public ValueTask<RegistryEntry?> FindAsync(RegistryKind kind, string key, CancellationToken cancel) =>
        readers.ReadAsync(statements => Find(statements, statements.FindSite(site), kind, key, Now()), cancel);

    public ValueTask<IReadOnlyList<RegistryEntry>> ListAsync(RegistryKind kind, string keyPrefix, CancellationToken cancel) =>
        readers.ReadAsync<IReadOnlyList<RegistryEntry>>(
            statements =>
            {
                var entries = new List<RegistryEntry>();
                using var row = statements.Query(
                    $"SELECT {Columns} FROM registry WHERE {Live} AND site = ?2 AND kind = ?3 AND key >= ?4 ORDER BY key",
                    Now(), statements.FindSite(site), (int)kind, keyPrefix);
                while (row.Read() && row.GetString(1).StartsWith(keyPrefix, StringComparison.Ordinal))
                {
                    entries.Add(Read(row));
                }

                return entries;
            },
            cancel);

    public ValueTask<long> CursorAsync(CancellationToken cancel) =>
        readers.ReadAsync(statements => SiteVersions.Current(statements, statements.FindSite(site)), cancel);

    public ValueTask<RegistryChanges> ChangesSinceAsync(long cursor, int entriesMax, CancellationToken cancel) => readers.ReadAsync(
        statements =>
        {
            var number = statements.FindSite(site);
            // Before the rows: what is written between the two reads comes again with the next call.
            var (next, forgotten) = (SiteVersions.Current(statements, number), SiteVersions.Forgotten(statements, number));
            var entries = new List<RegistryEntry>();
            using var row = statements.Query(
                $"SELECT {Columns} FROM registry WHERE (value IS NULL OR ({Live})) AND site = ?2 AND version > ?3 ORDER BY version LIMIT ?4",
                Now(), number, cursor, entriesMax);
            while (row.Read())
            {
                entries.Add(Read(row));
            }

            return new RegistryChanges(entries, entries.Count == entriesMax ? entries[^1].Version : next, cursor == 0 || cursor >= forgotten);
        },
        cancel);

    public async ValueTask<RegistryResult> WriteAsync(IReadOnlyList<RegistryWrite> writes, CancellationToken cancel)
    {
        var now = Now();
        return await writer.Enqueue(statements => Write(statements, statements.SiteNumber(site), writes, now));
    }

    public async ValueTask<int> SweepAsync(CancellationToken cancel)
    {
        var now = Now();
        return await writer.Enqueue(statements =>
        {
            // A removal is kept as a row without a value that expires when nobody need know of it any more.
            var number = statements.SiteNumber(site);
            statements.Run(
                "UPDATE state_version SET forgotten = max(forgotten, coalesce((SELECT max(version) FROM registry "
                + "WHERE site = ?1 AND value IS NULL AND expires_at <= ?2), 0)) WHERE site = ?1", number, now);
            return statements.Run("DELETE FROM registry WHERE site = ?1 AND expires_at <= ?2", number, now);
        });
    }

    private static RegistryResult Write(Statements statements, long site, IReadOnlyList<RegistryWrite> writes, long now)
    {
        var found = writes.Where(write => write.Expected is not null)
            .Select(write => (Write: write, Entry: Find(statements, site, write.Kind, write.Key, now)));
        foreach (var (write, entry) in found)
        {
            if (write.Expected != (entry?.Version ?? 0))
            {
                return new RegistryResult.Conflict(write, entry);
            }
        }

        var last = SiteVersions.Take(statements, site, writes.Count);
        var version = last - writes.Count;
        var removalEnds = now + (IRegistry.RemovalsKnownFor.Ticks / TimeSpan.TicksPerMicrosecond);
        foreach (var write in writes)
        {
            Value expires = write.Value is null ? removalEnds : write.ExpiresAt is { } at ? Rows.ToMicroseconds(at) : Value.Null;
            statements.Run("REPLACE INTO registry (site, kind, key, value, expires_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                site, (int)write.Kind, write.Key, write.Value is { } octets ? octets : Value.Null, expires, ++version);
        }

        return new RegistryResult.Written(last);
    }

    private static RegistryEntry? Find(Statements statements, long site, RegistryKind kind, string key, long now)
    {
        using var row = statements.Query(
            $"SELECT {Columns} FROM registry WHERE {Live} AND site = ?2 AND kind = ?3 AND key = ?4", now, site, (int)kind, key);
        return row.Read() ? Read(row) : null;
    }

    private static RegistryEntry Read(Row row)
    {
        ReadOnlyMemory<byte>? value = row.IsNull(2) ? default(ReadOnlyMemory<byte>?) : row.GetOctets(2);
        return new RegistryEntry((RegistryKind)row.GetInt64(0), row.GetString(1), value,
            value is null || row.IsNull(3) ? null : Rows.ToTime(row.GetInt64(3)), row.GetInt64(4));
    }

    private long Now() => Rows.ToMicroseconds(time.GetUtcNow());
}
