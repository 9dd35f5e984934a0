namespace Sallyport.Store.Sqlite;

internal sealed class SqliteSettings(GroupWriter writer, Readers readers, string site) : ISettings
{
    public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancel) => readers.ReadAsync(statements => Find(statements, name), cancel);

    public async ValueTask SetAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel) => await writer.Enqueue(
        statements => statements.Run(
            "REPLACE INTO setting (site, name, value) VALUES (?1, ?2, ?3)", statements.SiteNumber(site), name, value));

    /// <summary>The value; <paramref name="made"/> when there was none, which is kept from now on.</summary>
    public async ValueTask<byte[]> GetOrAddAsync(string name, byte[] made) => await writer.Enqueue(statements =>
    {
        if (Find(statements, name) is { } found)
        {
            return found;
        }

        statements.Run("INSERT INTO setting (site, name, value) VALUES (?1, ?2, ?3)", statements.SiteNumber(site), name, made);
        return made;
    });

    private byte[]? Find(Statements statements, string name) =>
        statements.Octets("SELECT value FROM setting WHERE site = ?1 AND name = ?2", statements.FindSite(site), name);
}
