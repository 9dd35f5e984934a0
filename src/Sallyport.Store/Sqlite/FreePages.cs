namespace Sallyport.Store.Sqlite;

/// <summary>
/// Pages of the database that hold nothing: counted as room, and given back to the file system when they are many. A file made
/// without auto_vacuum cannot shrink; its free pages count all the same. Used by the writer's thread alone.
/// </summary>
internal sealed class FreePages(Statements statements, DiskRoom room, long kept)
{
    /// <summary>One step keeps a message that comes meanwhile waiting for some milliseconds.</summary>
    private const int PagesAtOnce = 512;

    private const long Incremental = 2;

    private readonly long _pageBytes = statements.Number("PRAGMA page_size") ?? 0;
    private readonly bool _canShrink = statements.Number("PRAGMA auto_vacuum") is Incremental;
    private long _free;

    /// <summary>Tells how much room there is inside. True when more is free than is worth keeping.</summary>
    public bool Count()
    {
        _free = statements.Number("PRAGMA freelist_count") ?? 0;
        room.FreeInside = _free * _pageBytes;
        return _canShrink && _free > kept;
    }

    public void GiveBackSome()
    {
        using var rows = statements.Query($"PRAGMA incremental_vacuum({PagesAtOnce})");
        while (rows.Read())
        {
        }
    }
}
