
namespace Sallyport.Store.Sqlite;

internal sealed class SqliteFacts(GroupWriter writer, Readers readers, TimeProvider time) : IFacts
{
    private const string Live = "(expires_at IS NULL OR expires_at > ?1)";

    public ValueTask<Fact?> FindAsync(FactKind kind, string key, CancellationToken cancel) => readers.ReadAsync(
        statements =>
        {
            using var row = statements.Query(
                $"SELECT key, value, expires_at FROM fact WHERE {Live} AND kind = ?2 AND key = ?3", Now(), (int)kind, key);
            return row.Read() ? Read(kind, row) : null;
        },
        cancel);

    public ValueTask<IReadOnlyList<Fact>> ListAsync(FactKind kind, string keyPrefix, CancellationToken cancel) =>
        readers.ReadAsync<IReadOnlyList<Fact>>(
            statements =>
            {
                var facts = new List<Fact>();
                using var row = statements.Query(
                    $"SELECT key, value, expires_at FROM fact WHERE {Live} AND kind = ?2 AND key >= ?3 ORDER BY key", Now(), (int)kind, keyPrefix);
                while (row.Read() && row.GetString(0).StartsWith(keyPrefix, StringComparison.Ordinal))
                {
                    facts.Add(Read(kind, row));
                }

                return facts;
            },
            cancel);

    public async ValueTask SaveAsync(IReadOnlyList<FactChange> changes, CancellationToken cancel) => await writer.Enqueue(statements =>
    {
        foreach (var change in changes)
        {
            switch (change)
            {
                case FactChange.Put { Fact: var fact }:
                    statements.Run("REPLACE INTO fact (kind, key, value, expires_at) VALUES (?1, ?2, ?3, ?4)",
                        (int)fact.Kind, fact.Key, fact.Value, fact.ExpiresAt is { } at ? Rows.ToMicroseconds(at) : Value.Null);
                    break;
                case FactChange.Remove remove:
                    statements.Run("DELETE FROM fact WHERE kind = ?1 AND key = ?2", (int)remove.Kind, remove.Key);
                    break;
            }
        }

        return changes.Count;
    });

    public async ValueTask<int> SweepAsync(CancellationToken cancel)
    {
        var now = Now();
        return await writer.Enqueue(statements => statements.Run("DELETE FROM fact WHERE expires_at <= ?1", now));
    }

    private static Fact Read(FactKind kind, Row row) => new(
        kind, row.GetString(0), row.GetOctets(1), row.IsNull(2) ? null : Rows.ToTime(row.GetInt64(2)));

    private long Now() => Rows.ToMicroseconds(time.GetUtcNow());
}
