using System.Globalization;

namespace Sallyport.Store.Sqlite;

/// <summary>Opens connections to the one database file and proves that they keep what they are told to keep.</summary>
internal static class Database
{
    public const int SchemaVersion = 3;

    // Before 3.51.3 two connections could corrupt a WAL database at a checkpoint (sqlite.org/wal.html#walresetbug).
    private static readonly Version SqliteMin = new(3, 51, 3);

    public static Connection OpenWriter(string file, SqliteStoreOptions options)
    {
        if (Connection.LibraryVersion is var version && version < SqliteMin)
        {
            throw new StoreException($"SQLite {version} can corrupt its file; {SqliteMin} or newer is needed");
        }

        var connection = Connection.Open(file, readOnly: false);
        try
        {
            Prepare(connection, options);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Prepare(Connection connection, SqliteStoreOptions options)
    {
        // Before anything is in the file: what is set free inside can then be given back to the file system.
        connection.Execute("PRAGMA auto_vacuum = INCREMENTAL");
        connection.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; "
            + "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA foreign_keys = OFF");
        Demand(connection, "journal_mode", "wal");
        Demand(connection, "synchronous", "2");
        if (options.PagesMax > 0)
        {
            connection.Execute($"PRAGMA max_page_count = {options.PagesMax.ToString(CultureInfo.InvariantCulture)}");
        }

        Migrate(connection);
    }

    public static Connection OpenReader(string file)
    {
        var connection = Connection.Open(file, readOnly: true);
        try
        {
            connection.Execute("PRAGMA query_only = 1");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The statements that lead from the version before to this one.</summary>
    private static string Schema(int version)
    {
        using var stream = typeof(Database).Assembly.GetManifestResourceStream($"schema-{version}.sql")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static void Demand(Connection connection, string pragma, string value)
    {
        var found = ReadPragma(connection, pragma);
        if (found != value)
        {
            throw new StoreException($"SQLite keeps {pragma} = {found}; {value} is needed for a 250 to be a promise");
        }
    }

    private static void Migrate(Connection connection)
    {
        var version = int.Parse(ReadPragma(connection, "user_version"), CultureInfo.InvariantCulture);
        if (version > SchemaVersion)
        {
            throw new StoreException($"The database has schema {version}, written by a newer Sallyport; this one knows {SchemaVersion}. "
                + "Install the newer release again, or restore the data directory from before the upgrade");
        }

        for (var next = version + 1; next <= SchemaVersion; next++)
        {
            connection.Execute($"BEGIN IMMEDIATE; {Schema(next)} PRAGMA user_version = {next}; COMMIT");
        }

        if (version < SchemaVersion)
        {
            connection.Execute("PRAGMA incremental_vacuum(1000)"); // pages that tables taken over leave are no room for mail
        }
    }

    private static string ReadPragma(Connection connection, string pragma)
    {
        using var statement = Statement.Prepare(connection, "PRAGMA " + pragma);
        using var row = new Row(statement);
        return row.Read() ? row.GetString(0) : "";
    }
}
