namespace Sallyport.Store.Sqlite;

internal sealed class SqliteSiteStore(string name, GroupWriter writer, Readers readers, TimeProvider time) : ISiteStore
{
    public string Name => name;

    public IAccounts Accounts { get; } = new SqliteAccounts(name, writer, readers);

    public ISiteKeys Keys { get; } = new SqliteSiteKeys(name, writer, readers);

    public IRegistry Registry { get; } = new SqliteRegistry(name, writer, readers, time);

    public ICounters Counters { get; } = new SqliteCounters(name, writer, readers, time);

    public IContacts Contacts { get; } = new SqliteContacts(name, writer, readers, time);
}

/// <summary>Keys are settings of their site, under the names they always had.</summary>
internal sealed class SqliteSiteKeys(string site, GroupWriter writer, Readers readers) : ISiteKeys
{
    public async ValueTask<byte[]> GetOrAddAsync(string name, Func<byte[]> make, CancellationToken cancel)
    {
        if (await readers.ReadAsync(statements => Find(statements, name), cancel) is { } found)
        {
            return found;
        }

        var made = make();
        return await writer.Enqueue(statements =>
        {
            if (Find(statements, name) is { } others)
            {
                return others; // somebody was faster
            }

            statements.Run("INSERT INTO setting (site, name, value) VALUES (?1, ?2, ?3)", statements.SiteNumber(site), name, made);
            return made;
        });
    }

    private byte[]? Find(Statements statements, string name) =>
        statements.Octets("SELECT value FROM setting WHERE site = ?1 AND name = ?2", statements.FindSite(site), name);
}
