using Microsoft.Data.Sqlite;

namespace Sallyport.Store.Sqlite;

/// <summary>The embedded store: one SQLite file in WAL mode with synchronous = FULL, in a directory only we may enter.</summary>
public sealed class SqliteStore : IStore
{
    private readonly FileStream _lock;
    private readonly GroupWriter _writer;
    private readonly Readers _readers;

    private SqliteStore(
        FileStream fileLock, GroupWriter writer, Readers readers, DiskRoom room, SqliteStoreOptions options, TimeProvider time)
    {
        _lock = fileLock;
        _writer = writer;
        _readers = readers;
        Spool = new SqliteSpool(writer, readers, room, options);
        Accounts = new SqliteAccounts(writer, readers);
        Settings = new SqliteSettings(writer, readers);
        Facts = new SqliteFacts(writer, readers, time);
    }

    public ISpool Spool { get; }

    public IAccounts Accounts { get; }

    public ISettings Settings { get; }

    public IFacts Facts { get; }

    /// <summary>Opens or creates the store. What a crash left half done is swept.</summary>
    /// <exception cref="StoreException">In use, unsafe, damaged or newer: the message says what to do.</exception>
    public static async Task<SqliteStore> OpenAsync(SqliteStoreOptions options, TimeProvider time, CancellationToken cancel)
    {
        PrepareDirectory(options.Directory);
        var fileLock = TakeLock(Path.Combine(options.Directory, "lock"));
        try
        {
            var file = Path.Combine(options.Directory, "sallyport.db");
            var connection = Database.OpenWriter(file, options);
            Restrict(file);
            var writer = new GroupWriter(connection, options);
            await writer.Enqueue(Sweep).WaitAsync(cancel);
            return new SqliteStore(fileLock, writer, new Readers(file, options.Readers, time), new DiskRoom(options, time), options, time);
        }
        catch (SqliteException exception)
        {
            await fileLock.DisposeAsync();
            throw new StoreException($"The database in {options.Directory} cannot be opened: {exception.Message}", exception);
        }
        catch
        {
            await fileLock.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        _writer.Dispose();
        _readers.Dispose();
        return _lock.DisposeAsync();
    }

    /// <summary>No process but this one holds anything: what was in progress is due again, chunks without a message go.</summary>
    private static int Sweep(Statements statements) =>
        statements.Run("DELETE FROM chunk WHERE queue_id NOT IN (SELECT queue_id FROM message WHERE chunks > 0)")
        + statements.Run("UPDATE recipient SET state = 0 WHERE state = 1");

    private static void PrepareDirectory(string directory)
    {
        const UnixFileMode OnlyUs = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
                return;
            }

            Directory.CreateDirectory(directory, OnlyUs);
            if ((File.GetUnixFileMode(directory) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            {
                throw new StoreException($"The data directory {directory} can be written by others; chmod 700 it");
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The data directory {directory} cannot be used: {exception.Message}", exception);
        }
    }

    private static FileStream TakeLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"{path} is locked: another Sallyport uses this data directory. Stop it, or give this one a directory of its own",
                exception);
        }
    }

    private static void Restrict(string file)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }
}
