using SQLitePCL;

namespace Sallyport.Store.Sqlite;

/// <summary>One connection to the database file. Used by one thread at a time: SQLite's own locks for that are left out.</summary>
internal sealed class Connection : IDisposable
{
    private const int BusyMilliseconds = 30_000;

    static Connection() => Batteries_V2.Init();

    private Connection(sqlite3 handle) => Handle = handle;

    public sqlite3 Handle { get; }

    /// <summary>False while a transaction is open; SQLite ends one by itself when the disk is full.</summary>
    public bool IsOutsideTransaction => raw.sqlite3_get_autocommit(Handle) != 0;

    public static Version LibraryVersion => Version.Parse(raw.sqlite3_libversion().utf8_to_string());

    /// <exception cref="SqliteException">The file cannot be opened.</exception>
    public static Connection Open(string file, bool readOnly)
    {
        var access = readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE;
        var code = raw.sqlite3_open_v2(file, out var handle, access | raw.SQLITE_OPEN_NOMUTEX, null);
        var connection = new Connection(handle);
        try
        {
            connection.Check(code);
            raw.sqlite3_busy_timeout(handle, BusyMilliseconds);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs any number of statements without parameters.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(Handle, sql));

    /// <exception cref="SqliteException">The code says that something failed.</exception>
    public void Check(int code)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            throw new SqliteException(code & 0xFF, raw.sqlite3_errmsg(Handle).utf8_to_string());
        }
    }

    public void Dispose() => Handle.Dispose();
}
