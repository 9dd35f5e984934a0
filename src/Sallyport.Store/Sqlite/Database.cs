using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Sallyport.Store.Sqlite;

/// <summary>Opens connections to the one database file and proves that they keep what they are told to keep.</summary>
internal static class Database
{
    public const int SchemaVersion = 2;

    // Before 3.51.3 two connections could corrupt a WAL database at a checkpoint (sqlite.org/wal.html#walresetbug).
    private static readonly Version SqliteMin = new(3, 51, 3);

    public static SqliteConnection OpenWriter(string file, SqliteStoreOptions options)
    {
        var connection = Open(file, SqliteOpenMode.ReadWriteCreate);
        var version = Version.Parse(connection.ServerVersion);
        if (version < SqliteMin)
        {
            throw new StoreException($"SQLite {version} can corrupt its file; {SqliteMin} or newer is needed");
        }

        // Before anything is in the file: what is set free inside can then be given back to the file system.
        Execute(connection, "PRAGMA auto_vacuum = INCREMENTAL");
        Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; "
            + "PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA foreign_keys = OFF");
        Demand(connection, "journal_mode", "wal");
        Demand(connection, "synchronous", "2");
        if (options.PagesMax > 0)
        {
            Execute(connection, $"PRAGMA max_page_count = {options.PagesMax.ToString(CultureInfo.InvariantCulture)}");
        }

        Migrate(connection);
        return connection;
    }

    public static SqliteConnection OpenReader(string file)
    {
        var connection = Open(file, SqliteOpenMode.ReadOnly);
        Execute(connection, "PRAGMA query_only = 1");
        return connection;
    }

    /// <summary>The statements that lead from the version before to this one.</summary>
    private static string Schema(int version)
    {
        using var stream = typeof(Database).Assembly.GetManifestResourceStream($"schema-{version}.sql")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // only our own constants come here
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    public static string Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // only our own constants come here
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    private static SqliteConnection Open(string file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = 30,
        }.ToString());
        connection.Open();
        return connection;
    }

    private static void Demand(SqliteConnection connection, string pragma, string value)
    {
        var found = Scalar(connection, "PRAGMA " + pragma);
        if (found != value)
        {
            throw new StoreException($"SQLite keeps {pragma} = {found}; {value} is needed for a 250 to be a promise");
        }
    }

    private static void Migrate(SqliteConnection connection)
    {
        var version = int.Parse(Scalar(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture);
        if (version > SchemaVersion)
        {
            throw new StoreException($"The database has schema {version}, written by a newer Sallyport; this one knows {SchemaVersion}. "
                + "Install the newer release again, or restore the data directory from before the upgrade");
        }

        for (var next = version + 1; next <= SchemaVersion; next++)
        {
            Execute(connection, $"BEGIN IMMEDIATE; {Schema(next)} PRAGMA user_version = {next}; COMMIT");
        }
    }
}
