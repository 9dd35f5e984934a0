namespace Sallyport.Store.Sqlite;

internal sealed class SqliteCounters(string site, GroupWriter writer, Readers readers, TimeProvider time) : ICounters
{
    private const string Columns = "kind, key, bucket, measure, value, expires_at, version";

    public async ValueTask AddAsync(IReadOnlyList<CounterDelta> deltas, CancellationToken cancel)
    {
        var now = Now();
        await writer.Enqueue(statements =>
        {
            var number = statements.SiteNumber(site);
            var version = SiteVersions.Take(statements, number, deltas.Count) - deltas.Count;
            foreach (var delta in deltas)
            {
                statements.Run(
                    "INSERT INTO counter (site, kind, key, bucket, measure, value, expires_at, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
                    + "ON CONFLICT (site, kind, key, bucket, measure) DO UPDATE SET "
                    + "value = CASE WHEN expires_at > ?9 THEN value + excluded.value ELSE excluded.value END, "
                    + "expires_at = max(expires_at, excluded.expires_at), version = excluded.version",
                    number, (int)delta.Kind, delta.Key, delta.Bucket, delta.Measure, delta.Delta, Rows.ToMicroseconds(delta.ExpiresAt),
                    ++version, now);
            }

            return deltas.Count;
        });
    }

    public ValueTask<IReadOnlyList<Counter>> ListAsync(CounterKind kind, string keyPrefix, CancellationToken cancel) =>
        readers.ReadAsync<IReadOnlyList<Counter>>(
            statements =>
            {
                var counters = new List<Counter>();
                using var row = statements.Query(
                    $"SELECT {Columns} FROM counter WHERE expires_at > ?1 AND site = ?2 AND kind = ?3 AND key >= ?4 ORDER BY key, bucket, measure",
                    Now(), statements.FindSite(site), (int)kind, keyPrefix);
                while (row.Read() && row.GetString(1).StartsWith(keyPrefix, StringComparison.Ordinal))
                {
                    counters.Add(Read(row));
                }

                return counters;
            },
            cancel);

    public ValueTask<long> CursorAsync(CancellationToken cancel) =>
        readers.ReadAsync(statements => SiteVersions.Current(statements, statements.FindSite(site)), cancel);

    public ValueTask<CounterChanges> ChangesSinceAsync(long cursor, int countersMax, CancellationToken cancel) => readers.ReadAsync(
        statements =>
        {
            var number = statements.FindSite(site);
            var next = SiteVersions.Current(statements, number); // before the rows, as in the registry
            var counters = new List<Counter>();
            using var row = statements.Query(
                $"SELECT {Columns} FROM counter WHERE expires_at > ?1 AND site = ?2 AND version > ?3 ORDER BY version LIMIT ?4",
                Now(), number, cursor, countersMax);
            while (row.Read())
            {
                counters.Add(Read(row));
            }

            return new CounterChanges(counters, counters.Count == countersMax ? counters[^1].Version : next);
        },
        cancel);

    public async ValueTask<int> SweepAsync(CancellationToken cancel)
    {
        var now = Now();
        return await writer.Enqueue(statements =>
            statements.Run("DELETE FROM counter WHERE site = ?1 AND expires_at <= ?2", statements.SiteNumber(site), now));
    }

    private static Counter Read(Row row) => new((CounterKind)row.GetInt64(0), row.GetString(1), row.GetInt64(2), (int)row.GetInt64(3),
        row.GetInt64(4), Rows.ToTime(row.GetInt64(5)), row.GetInt64(6));

    private long Now() => Rows.ToMicroseconds(time.GetUtcNow());
}
