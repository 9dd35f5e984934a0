namespace Sallyport.Server.Configuration.Binding;

/// <summary>[store].</summary>
internal static class StoreReader
{
    public static StoreOptions Read(Section section)
    {
        var d = new StoreOptions();
        if (section.Has("postgres"))
        {
            section.Report("postgres", "is not in this release; without it mail is kept in SQLite below data");
        }

        var options = new StoreOptions
        {
            DiskFloorBytes = section.Size("disk_floor_bytes", d.DiskFloorBytes, 0L, 1L << 50),
            DiskFloorPercent = section.Number("disk_floor_percent", d.DiskFloorPercent, 0, 90),
        };
        section.Finish();
        return options;
    }
}
