namespace Sallyport.Store.Sqlite;

/// <summary>The one sequence of a site from which all versions of its shared state come.</summary>
internal static class SiteVersions
{
    /// <summary>Takes so many numbers. Returns the last of them.</summary>
    public static long Take(Statements statements, long site, int count) => statements.Number(
        "INSERT INTO state_version (site, version, forgotten) VALUES (?1, ?2, 0) "
        + "ON CONFLICT (site) DO UPDATE SET version = version + excluded.version RETURNING version", site, count)!.Value;

    public static long Current(Statements statements, long site) =>
        statements.Number("SELECT version FROM state_version WHERE site = ?1", site) ?? 0;

    /// <summary>The version of the last removal of which no trace is left.</summary>
    public static long Forgotten(Statements statements, long site) =>
        statements.Number("SELECT forgotten FROM state_version WHERE site = ?1", site) ?? 0;
}
