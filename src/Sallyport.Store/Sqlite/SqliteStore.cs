using System.Collections.Concurrent;

namespace Sallyport.Store.Sqlite;

/// <summary>The embedded store: one SQLite file in WAL mode with synchronous = FULL, in a directory only we may enter.</summary>
public sealed class SqliteStore : IStore
{
    private readonly SqliteFile _file;
    private readonly bool _owner;
    private readonly SqliteNode _node;
    private readonly ConcurrentDictionary<string, ISiteStore> _sites = new(StringComparer.Ordinal);
    private bool _closed;

    private SqliteStore(SqliteFile file, SqliteNode node, bool owner)
    {
        (_file, _node, _owner) = (file, node, owner);
        Spool = new SqliteSpool(node, file.Writer, file.Readers, file.Room, file.Options);
    }

    public ISpool Spool { get; }

    public IAccounts Accounts => Site(ISiteStore.DefaultName).Accounts;

    public ISiteStore Site(string name) => _sites.GetOrAdd(name, site => new SqliteSiteStore(site, _file.Writer, _file.Readers, _file.Time));

    /// <summary>Opens or creates the store. What a crash of this node left half done is swept.</summary>
    /// <exception cref="StoreException">In use, unsafe, damaged or newer: the message says what to do.</exception>
    public static async Task<SqliteStore> OpenAsync(SqliteStoreOptions options, TimeProvider time, CancellationToken cancel)
    {
        PrepareDirectory(options.Directory);
#pragma warning disable CA2000 // the store has them, or what is caught disposes of them
        var fileLock = TakeLock(options.Directory);
        GroupWriter? writer = null;
        try
        {
            var path = Path.Combine(options.Directory, "sallyport.db");
            PrepareFile(path, options.Directory);
            var room = new DiskRoom(options, time);
            writer = new GroupWriter(Database.OpenWriter(path, options), options, room);
            var node = new SqliteNode(options.Node, writer, time);
            await node.OpenAsync(cancel);
            return new SqliteStore(new(fileLock, writer, new Readers(path, options.Readers, time), room, options, time), node, owner: true);
        }
#pragma warning restore CA2000
        catch (Exception exception)
        {
            writer?.Dispose();
            await fileLock.DisposeAsync();
            if (exception is SqliteException)
            {
                throw new StoreException($"The database in {options.Directory} cannot be opened: {exception.Message}", exception);
            }

            throw;
        }
    }

    /// <summary>Another client of the same open store, with a node of its own. To be disposed before this one.</summary>
    public async Task<SqliteStore> ConnectAsync(string name, CancellationToken cancel)
    {
        var node = new SqliteNode(name, _file.Writer, _file.Time);
        await node.OpenAsync(cancel);
        return new SqliteStore(_file, node, owner: false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        await _node.CloseAsync();
        if (_owner)
        {
            await _file.DisposeAsync();
        }
    }

    /// <summary>What all clients of one open store share.</summary>
    private sealed record SqliteFile(
        FileStream Lock, GroupWriter Writer, Readers Readers, DiskRoom Room, SqliteStoreOptions Options, TimeProvider Time) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Writer.Dispose();
            Readers.Dispose();
            return Lock.DisposeAsync();
        }
    }

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
