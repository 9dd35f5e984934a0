using System.Runtime.Versioning;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Store;
using Sallyport.Store.Sqlite;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>Whether there is room on the disk for one more message.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SqliteRoomTests : IDisposable
{
    private readonly StoreFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Now);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1000, 0, 1000, 10_000, true)]
    [InlineData(1000, 0, 999, 10_000, false)]
    [InlineData(0, 5, 500, 10_000, true)]
    [InlineData(0, 5, 499, 10_000, false)]
    [InlineData(600, 5, 599, 10_000, false)]
    public async Task Below_the_floor_nothing_is_taken(long floor, int percent, long free, long total, bool room)
    {
        await using var store = await OpenAsync(options => options
            with
        { DiskFloorBytes = floor, DiskFloorPercent = percent, ProbeDisk = _ => (free, total) });
        Assert.Equal(room, store.Spool.HasRoomFor(0));
        Assert.Equal(room ? SpoolHealth.Accepting : SpoolHealth.DiskLow, store.Spool.Health);
    }

    [Fact]
    public async Task A_message_counts_half_as_much_again_and_the_disk_is_looked_at_once_a_second()
    {
        long free = 1150;
        var probes = 0;
        await using var store = await OpenAsync(options => options with
        {
            DiskFloorBytes = 1000,
            ProbeDisk = _ =>
            {
                probes++;
                return (free, 100_000);
            },
        });
        Assert.True(store.Spool.HasRoomFor(100));
        Assert.False(store.Spool.HasRoomFor(101));
        Assert.False(store.Spool.HasRoomFor(long.MaxValue));
        free = 10_000;
        Assert.False(store.Spool.HasRoomFor(101));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(store.Spool.HasRoomFor(101));
        Assert.Equal(2, probes);
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(64)]
    public async Task Mail_that_leaves_makes_room_for_mail_that_comes(long pagesKept)
    {
        const long Disk = 24L * 1024 * 1024;
        var file = Path.Combine(_folder.Path, "sallyport.db");
        await using var store = await OpenAsync(options => options with
        {
            DiskFloorBytes = Disk / 2,
            FreePagesKept = pagesKept,
            ProbeDisk = _ => (Disk - (File.Exists(file) ? new FileInfo(file).Length : 0), Disk),
        });
        var kept = 0;
        while (store.Spool.HasRoomFor(100_000))
        {
            Assert.True(++kept < 200, "the disk never got low");
            Assert.IsType<CommitResult.Durable>(await store.Spool.KeepAsync(kept, Record("a@example.com"), Body(200_000), claim: true));
            await store.MarkAsync("flush", new byte[] { 1 }, Cancel);
            _folder.Query("PRAGMA wal_checkpoint(TRUNCATE)");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True(kept > 20);
        await store.Spool.RecordAsync([.. Enumerable.Range(1, kept).Select(i => Outcome(i, 0, RecipientState.Relayed))], [], Cancel);
        for (byte i = 0; i < 50; i++)
        {
            await store.MarkAsync("after", new[] { i }, Cancel); // comes behind what the writer did in its idle moment
            _folder.Query("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(store.Spool.HasRoomFor(4 * 1024 * 1024));
        Assert.Equal(SpoolHealth.Accepting, store.Spool.Health);
        Assert.Equal(pagesKept < 100, new FileInfo(file).Length < 4 * 1024 * 1024);
    }

    private Task<SqliteStore> OpenAsync(Func<SqliteStoreOptions, SqliteStoreOptions>? change = null) => _folder.OpenAsync(Cancel, _time, change);
}
