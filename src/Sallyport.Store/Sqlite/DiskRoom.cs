namespace Sallyport.Store.Sqlite;

/// <summary>Whether the file system has room. Asked often, looked up at most once a second.</summary>
internal sealed class DiskRoom(SqliteStoreOptions options, TimeProvider time)
{
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long _probedAt = long.MinValue;
    private long _free;
    private long _floor;
    private long _fullUntil = long.MinValue;
    private long _freeInside;

    /// <summary>Octets free inside the database: mail that left made room there for mail that comes. Set by the writer.</summary>
    public long FreeInside
    {
        get => Volatile.Read(ref _freeInside);
        set => Volatile.Write(ref _freeInside, value);
    }

    /// <summary>
    /// Room for a message of this size above the floor, counted one and a half times as Postfix does. What is free inside the database
    /// counts: its file does not shrink with the queue at once.
    /// </summary>
    public bool Has(long bytes)
    {
        var (free, floor, full) = Probe();
        return !full && bytes < long.MaxValue / 2 && free + FreeInside - (bytes + (bytes / 2)) >= floor;
    }

    /// <summary>The figures <see cref="Has"/> decides by, for the log.</summary>
    public string Describe()
    {
        const double MiB = 1024 * 1024;
        var (free, floor, full) = Probe();
        return string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{free / MiB:0.#} MiB free in {options.Directory} and {FreeInside / MiB:0.#} MiB in the database, {floor / MiB:0.#} MiB must stay free")
            + (full ? "; a write has just failed because the disk is full" : "");
    }

    /// <summary>The database itself said "full": believe it for a while whatever the file system says.</summary>
    public void MarkFull()
    {
        lock (_gate)
        {
            _fullUntil = time.GetTimestamp() + (5 * time.TimestampFrequency);
        }
    }

    private (long Free, long Floor, bool Full) Probe()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_probedAt == long.MinValue || time.GetElapsedTime(_probedAt, now) >= ProbeInterval)
            {
                (_free, var total) = options.ProbeDisk(options.Directory);
                _floor = Math.Max(options.DiskFloorBytes, total / 100 * options.DiskFloorPercent);
                _probedAt = now;
            }

            return (_free, _floor, now < _fullUntil);
        }
    }
}
