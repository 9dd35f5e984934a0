namespace Sallyport.Store.Sqlite;

internal sealed class SqliteSiteStore(string name, GroupWriter writer, Readers readers) : ISiteStore
{
    public string Name => name;

    public IAccounts Accounts { get; } = new SqliteAccounts(name, writer, readers);

    public ISiteKeys Keys { get; } = new SqliteSiteKeys(new SqliteSettings(writer, readers, name));

    public IRegistry Registry => throw new NotSupportedException();

    public ICounters Counters => throw new NotSupportedException();
}

/// <summary>Keys are settings of their site, under the names they always had.</summary>
internal sealed class SqliteSiteKeys(SqliteSettings settings) : ISiteKeys
{
    public async ValueTask<byte[]> GetOrAddAsync(string name, Func<byte[]> make, CancellationToken cancel) =>
        await settings.GetAsync(name, cancel) ?? await settings.GetOrAddAsync(name, make());
}
