namespace Sallyport.Store.Sqlite;

/// <param name="Directory">Made with mode 0700 when it is not there.</param>
/// <param name="DiskFloorBytes">Free bytes below which nothing new is taken.</param>
/// <param name="DiskFloorPercent">The same as a share of the file system; 0 for none. The higher of the two counts.</param>
public sealed record SqliteStoreOptions(string Directory, long DiskFloorBytes, int DiskFloorPercent)
{
    /// <summary>Bodies up to this size wait in memory for their commit; larger ones go to disk while they arrive.</summary>
    public int BodyInMemoryBytes { get; init; } = 256 * 1024;

    /// <summary>Size of a row of a large body.</summary>
    public int ChunkBytes { get; init; } = 128 * 1024;

    /// <summary>Items in one transaction.</summary>
    public int BatchItemsMax { get; init; } = 2000;

    /// <summary>This node's name among those that share the store; who opens it again under this name takes over what it had claimed.</summary>
    public string Node { get; init; } = Environment.MachineName;

    /// <summary>Connections that read, beside the one that writes.</summary>
    public int Readers { get; init; } = 4;

    /// <summary>Pages the database may have; 0 for SQLite's own limit. Tests make a disk full with it.</summary>
    public long PagesMax { get; init; }

    /// <summary>Free pages (4 KiB) the database keeps for the next messages; more go back to the file system.</summary>
    public long FreePagesKept { get; init; } = 4096;

    /// <summary>Free and total bytes of the file system; replaced in tests.</summary>
    public Func<string, (long Free, long Total)> ProbeDisk { get; init; } = static path =>
    {
        var drive = new DriveInfo(path);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    };

    /// <summary>Called between the last statement of a transaction and its COMMIT; tests throw from it.</summary>
    public Action BeforeCommit { get; init; } = static () => { };
}
