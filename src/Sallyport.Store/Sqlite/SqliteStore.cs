using System.Collections.Concurrent;

namespace Sallyport.Store.Sqlite;

/// <summary>The embedded store: one SQLite file in WAL mode with synchronous = FULL, in a directory only we may enter.</summary>
public sealed class SqliteStore : IStore
{
    private readonly FileStream _lock;
    private readonly GroupWriter _writer;
    private readonly Readers _readers;
    private readonly ConcurrentDictionary<string, ISiteStore> _sites = new(StringComparer.Ordinal);

    private SqliteStore(
        FileStream fileLock, GroupWriter writer, Readers readers, DiskRoom room, SqliteStoreOptions options, TimeProvider time)
    {
        _lock = fileLock;
        _writer = writer;
        _readers = readers;
        Spool = new SqliteSpool(writer, readers, room, options);
        Settings = new SqliteSettings(writer, readers, ISiteStore.DefaultName);
        Facts = new SqliteFacts(writer, readers, time);
    }

    public ISpool Spool { get; }

    public IAccounts Accounts => Site(ISiteStore.DefaultName).Accounts;

    public ISettings Settings { get; }

    public IFacts Facts { get; }

    public ISiteStore Site(string name) => _sites.GetOrAdd(name, site => new SqliteSiteStore(site, _writer, _readers));

    /// <summary>Opens or creates the store. What a crash left half done is swept.</summary>
    /// <exception cref="StoreException">In use, unsafe, damaged or newer: the message says what to do.</exception>
    public static async Task<SqliteStore> OpenAsync(SqliteStoreOptions options, TimeProvider time, CancellationToken cancel)
    {
        PrepareDirectory(options.Directory);
        var fileLock = TakeLock(options.Directory);
        try
        {
            var file = Path.Combine(options.Directory, "sallyport.db");
            PrepareFile(file, options.Directory);
            var connection = Database.OpenWriter(file, options);
            var room = new DiskRoom(options, time);
            var writer = new GroupWriter(connection, options, room);
            await writer.Enqueue(Sweep).WaitAsync(cancel);
            return new SqliteStore(fileLock, writer, new Readers(file, options.Readers, time), room, options, time);
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
            var mode = File.GetUnixFileMode(directory);
            if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            {
                throw new StoreException(
                    $"The data directory {directory} can be written by others, who may have put files there; look, then chmod 700 it");
            }

            if ((mode & ~OnlyUs) != 0)
            {
                Tighten(directory, OnlyUs);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The data directory {directory} cannot be used: {exception.Message}", exception);
        }
    }

    private static FileStream TakeLock(string directory)
    {
        var path = Path.Combine(directory, "lock");
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            UnixFile.GiveToOwnerOf(directory, path);
            return file;
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new StoreException(UnixFile.ExplainNoAccess(path, directory), exception);
        }
        catch (IOException exception) when (IsHeld(exception))
        {
            throw new StoreException(
                $"{path} is locked: another Sallyport uses this data directory. Stop it, or give this one a directory of its own",
                exception)
            { InUse = true };
        }
        catch (IOException exception)
        {
            throw new StoreException($"{path} cannot be opened: {exception.Message}", exception);
        }
    }

    /// <summary>EAGAIN of flock(2), or Windows' sharing violation.</summary>
    private static bool IsHeld(IOException exception) => exception.HResult is 11 or 35 or unchecked((int)0x80070020);

    /// <summary>The database is there before SQLite opens it: its -wal and -shm take owner and mode from it.</summary>
    private static void PrepareFile(string file, string directory)
    {
        if (File.Exists(file) && !UnixFile.MayWrite(file))
        {
            throw new StoreException(UnixFile.ExplainNoAccess(file, directory));
        }

        Restrict(file);
        UnixFile.GiveToOwnerOf(directory, file);
    }

    /// <summary>Others could read mail in it, or reach files that are open to them.</summary>
    private static void Tighten(string directory, UnixFileMode mode)
    {
        try
        {
#pragma warning disable CA1416 // not called on Windows
            File.SetUnixFileMode(directory, mode);
#pragma warning restore CA1416
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The data directory {directory} is open to others and not ours to change; chmod 700 it", exception);
        }
    }

    /// <summary>Before SQLite opens it: its -wal and -shm take their mode from the file.</summary>
    private static void Restrict(string file)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const UnixFileMode OnlyUs = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            var how = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, UnixCreateMode = OnlyUs };
            new FileStream(file, how).Dispose();
            foreach (var one in new[] { file, file + "-wal", file + "-shm" }.Where(File.Exists))
            {
                File.SetUnixFileMode(one, OnlyUs);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The database {file} cannot be kept from others: {exception.Message}", exception);
        }
    }
}
