using System.Runtime.Versioning;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Store;
using Sallyport.Store.Sqlite;
using Sallyport.Tests.Tidy;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>A disk that is low, full or broken, a directory or file that is not right: never a false 250, never a silent loss.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SqliteFaultTests : IDisposable
{
    private readonly StoreFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Now);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_failed_flush_is_final_and_a_restart_tells_what_was_kept()
    {
        var broken = false;
        await using (var store = await OpenAsync(options => options with
        {
            BeforeCommit = () =>
            {
                if (broken)
                {
                    throw new IOException("No space left on device");
                }
            },
        }))
        {
            var spool = store.Spool;
            Assert.IsType<CommitResult.Durable>(await spool.KeepAsync(1, Record("a@example.com"), []));
            broken = true;
            Assert.Contains("No space left", Assert.IsType<CommitResult.StoreFailed>(await spool.KeepAsync(2, Record("a@example.com"), [])).Why);
            broken = false;
            Assert.IsType<CommitResult.StoreFailed>(await spool.KeepAsync(3, Record("a@example.com"), []));
            Assert.IsType<CommitResult.StoreFailed>(await spool.KeepAsync(4, Record("a@example.com"), Body(1024 * 1024)));
            await spool.Failed.WaitAsync(Cancel);
            Assert.Equal(SpoolHealth.Failed, spool.Health);
            Assert.False(spool.HasRoomFor(0));
            await Assert.ThrowsAsync<StoreException>(async () => await spool.ClaimDueAsync(Now, 1, Cancel));
            await Assert.ThrowsAsync<StoreException>(async () => await spool.RecordAsync([], [Report(5)], Cancel));
            Assert.Equal(["0001"], Ids(await spool.ListAsync(new QueueFilter(), Cancel)));
        }

        await using var again = await OpenAsync();
        Assert.Equal(["0001"], Ids(await again.Spool.ListAsync(new QueueFilter(), Cancel)));
        Assert.IsType<CommitResult.Durable>(await again.Spool.KeepAsync(2, Record("a@example.com"), []));
    }

    [Fact]
    public async Task A_flush_that_fails_while_a_large_body_arrives_is_told_at_its_commit()
    {
        var broken = false;
        await using var store = await OpenAsync(options => options with { BeforeCommit = () => Throw(broken) });
        await using var submission = store.Spool.Begin(Id(1));
        broken = true;
        await submission.WriteAsync(Body(1024 * 1024), Cancel);
        Assert.IsType<CommitResult.StoreFailed>(await submission.CommitAsync(Record("a@example.com"), Header, true, Cancel));
        Assert.Equal(SpoolHealth.Failed, store.Spool.Health);
    }

    [Fact]
    public async Task A_full_database_says_no_room_keeps_what_it_has_and_recovers()
    {
        await using var store = await OpenAsync(options => options with { PagesMax = 100 });
        var spool = store.Spool;
        var kept = 0;
        while (await spool.KeepAsync(kept + 1, Record("a@example.com"), Body(20_000), claim: true) is CommitResult.Durable)
        {
            Assert.True(++kept < 100, "the database never got full");
        }

        Assert.True(kept > 5);
        Assert.Equal(SpoolHealth.DiskLow, spool.Health);
        Assert.False(spool.HasRoomFor(1));
        Assert.IsType<CommitResult.NoRoom>(await spool.KeepAsync(200, Record("a@example.com"), Body(20_000)));
        Assert.Equal(kept, (await spool.TotalsAsync(Cancel)).Messages);
        Assert.Equal(Whole(20_000), await spool.ReadAsync(kept, Cancel));
        await spool.RecordAsync([.. Enumerable.Range(1, kept).Select(i => Outcome(i, 0, RecipientState.Relayed))], [], Cancel);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(SpoolHealth.Accepting, spool.Health);
        Assert.IsType<CommitResult.Durable>(await spool.KeepAsync(300, Record("a@example.com"), Body(20_000)));
        Assert.Equal(["0300"], Ids(await spool.ListAsync(new QueueFilter(), Cancel)));
    }

    [Fact]
    public async Task A_large_body_that_finds_no_room_says_so_at_its_commit_and_leaves_nothing()
    {
        await using var store = await OpenAsync(options => options with { PagesMax = 100 });
        Assert.IsType<CommitResult.NoRoom>(await store.Spool.KeepAsync(1, Record("a@example.com"), Body(3 * 1024 * 1024)));
        Assert.Equal(SpoolHealth.DiskLow, store.Spool.Health);
        await store.MarkAsync("after", new byte[] { 1 }, Cancel); // comes behind the clean-up in the writer's queue
        Assert.Equal(0, _folder.Count("chunk"));
        Assert.IsType<CommitResult.Durable>(await store.Spool.KeepAsync(2, Record("a@example.com"), Body(1000)));
    }

    [Fact]
    public async Task A_change_that_fails_by_itself_costs_only_itself()
    {
        using var stall = new WriterStall();
        await using var store = await OpenAsync(options => options with { BeforeCommit = stall.Pass });
        await store.Spool.KeepAsync(1, Record("a@example.com"), [], claim: true);
        await stall.BeginAsync(() => store.MarkAsync("stalls", new byte[] { 1 }, Cancel).AsTask(), Cancel);
        var before = store.Spool.KeepAsync(2, Record("a@example.com"), []);
        var faulty = store.Spool.RecordAsync([Outcome(1, 0, RecipientState.Due, reply: null!)], [Report(9)], Cancel).AsTask();
        var unstorable = store.Spool.KeepAsync(3, Record("a@example.com") with { MessageId = null! }, []);
        var after = store.Spool.KeepAsync(4, Record("a@example.com"), []);
        stall.End();
        await Assert.ThrowsAsync<NullReferenceException>(() => faulty);
        Assert.IsType<CommitResult.Durable>(await before);
        Assert.IsType<CommitResult.StoreFailed>(await unstorable);
        Assert.IsType<CommitResult.Durable>(await after);
        Assert.Equal(SpoolHealth.Accepting, store.Spool.Health);
        Assert.Equal(["0001", "0002", "0004"], Ids(await store.Spool.ListAsync(new QueueFilter(), Cancel)));
        Assert.Equal("0 InProgress", States(await store.Spool.FindAsync(Id(1), Cancel)));
    }

    [Fact]
    public async Task An_address_that_can_no_longer_be_read_is_held_out_and_shown()
    {
        await using var store = await OpenAsync();
        await store.Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), []);
        await store.Spool.KeepAsync(2, Record("a@example.com"), []);
        await store.Spool.KeepAsync(3, Record("a@example.com"), []);
        _folder.Query("UPDATE recipient SET path = 'a@@' WHERE path = 'a@example.com' AND message < 3");
        _folder.Query("UPDATE message SET reverse_path = 'jane' WHERE queue_id = 'MESSAGE0003'");
        var claimed = Assert.Single(await store.Spool.ClaimDueAsync(Now, 10, Cancel));
        Assert.Equal("1 InProgress", States(claimed));
        Assert.Equal("0 Held, 1 InProgress", States(await store.Spool.FindAsync(Id(1), Cancel)));
        Assert.Equal("0 Held", States(await store.Spool.FindAsync(Id(2), Cancel)));
        Assert.Equal("0 Held", States(await store.Spool.FindAsync(Id(3), Cancel)));
        var shown = (await store.Spool.FindAsync(Id(2), Cancel))!;
        Assert.Equal("\"a@@\" is in the store and no address", shown.Recipients[0].LastReply);
        Assert.Equal("an address in the store cannot be read", shown.Record.HoldReason);
    }

    [Fact]
    public async Task One_that_finds_no_room_does_not_cost_the_others_of_its_batch()
    {
        using var entered = new SemaphoreSlim(0);
        using var go = new SemaphoreSlim(0);
        var gated = false;
        await using var store = await OpenAsync(options => options with
        {
            PagesMax = 100,
            BeforeCommit = () =>
            {
                if (gated)
                {
                    gated = false;
                    entered.Release();
                    go.Wait(Cancel);
                }
            },
        });
        gated = true;
        var first = store.MarkAsync("hold the writer", new byte[] { 1 }, Cancel).AsTask();
        await entered.WaitAsync(Cancel);
        var small = store.Spool.KeepAsync(1, Record("a@example.com"), Body(1000));
        var large = store.Spool.KeepAsync(2, Record("a@example.com"), Body(250_000));
        var larger = store.Spool.KeepAsync(3, Record("a@example.com"), Body(250_000));
        var last = store.Spool.KeepAsync(4, Record("a@example.com"), Body(1000));
        go.Release();
        await first;
        Assert.IsType<CommitResult.Durable>(await small);
        Assert.IsType<CommitResult.Durable>(await large);
        Assert.IsType<CommitResult.NoRoom>(await larger);
        Assert.IsType<CommitResult.Durable>(await last);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_commit_withdrawn_while_the_disk_stalls_leaves_nothing_and_another_keeps_its_chunks(bool claim)
    {
        using var stall = new WriterStall();
        await using var store = await OpenAsync(options => options with { BeforeCommit = stall.Pass });
        var submission = store.Spool.Begin(Id(1));
        await submission.WriteAsync(Body(1024 * 1024), Cancel);
        var other = store.Spool.Begin(Id(2));
        await other.WriteAsync(Body(1024 * 1024), Cancel);
        await stall.BeginAsync(() => store.MarkAsync("stalls", new byte[] { 1 }, Cancel).AsTask(), Cancel);
        var commit = submission.CommitAsync(Record("bob@example.com"), Header, claim, Cancel);
        var otherCommit = other.CommitAsync(Record("bob@example.com"), Header, claim, Cancel);
        var withdrawal = submission.WithdrawAsync();
        await submission.DisposeAsync();
        await other.DisposeAsync(); // told 451 and dropped, but not yet withdrawn
        stall.End();
        Assert.True(await withdrawal);
        Assert.IsType<CommitResult.Withdrawn>(await commit);
        Assert.IsType<CommitResult.Durable>(await otherCommit);
        await store.MarkAsync("after", new byte[] { 1 }, Cancel); // comes behind the clean-up in the writer's queue
        Assert.Null(await store.Spool.FindAsync(Id(1), Cancel));
        Assert.Equal(Whole(1024 * 1024), await store.Spool.ReadAsync(2, Cancel));
        Assert.Equal(8L, _folder.Count("chunk"));
    }

    [Fact]
    public async Task A_connection_that_cannot_be_opened_costs_no_later_reader_its_place()
    {
        await using var store = await OpenAsync(options => options with { Readers = 1 });
        var file = Path.Combine(_folder.Path, "sallyport.db");
        File.Move(file, file + ".away");
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAnyAsync<Exception>(
                async () => await store.MarkOfAsync("x", Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancel));
        }

        File.Move(file + ".away", file);
        Assert.Null(await store.MarkOfAsync("x", Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task The_store_closes_although_something_waits_and_what_waits_is_done()
    {
        for (var round = 0; round < 20; round++)
        {
            using var entered = new SemaphoreSlim(0);
            using var go = new SemaphoreSlim(0);
            var gated = false;
            var store = await OpenAsync(options => options with
            {
                BeforeCommit = () =>
                {
                    if (gated)
                    {
                        gated = false;
                        entered.Release();
                        go.Wait(Cancel);
                    }
                },
            });
            gated = true;
            var first = store.MarkAsync("first", new byte[] { 1 }, Cancel).AsTask();
            await entered.WaitAsync(Cancel);
            var waits = store.MarkAsync("waits", new[] { (byte)round }, Cancel).AsTask();
            var closing = Task.Run(async () => await store.DisposeAsync(), Cancel);
            await Task.Yield();
            go.Release();
            await closing.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
            await first;
            await waits;
            await using var again = await OpenAsync();
            Assert.Equal(round, Assert.Single((await again.MarkOfAsync("waits", Cancel))!));
        }
    }

    [Fact]
    public async Task A_directory_others_may_write_to_is_refused()
    {
        Directory.CreateDirectory(_folder.Path);
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0x1FF);
        Assert.Contains("chmod 700", (await Assert.ThrowsAsync<StoreException>(() => OpenAsync())).Message);
    }

    [Fact]
    public async Task A_directory_and_files_others_may_read_are_closed_to_them()
    {
        const UnixFileMode AllMayRead = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        Directory.CreateDirectory(_folder.Path);
        File.SetUnixFileMode(_folder.Path, AllMayRead | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var file = Path.Combine(_folder.Path, "sallyport.db");
        await File.WriteAllBytesAsync(file, [], Cancel);
        File.SetUnixFileMode(file, AllMayRead);
        await using var store = await OpenAsync();
        await store.Spool.KeepAsync(1, Record("a@example.com"), []);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.Path));
        foreach (var end in new[] { "", "-wal", "-shm" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file + end));
        }
    }

    [Fact]
    public async Task A_file_where_the_directory_should_be_is_refused()
    {
        await File.WriteAllTextAsync(_folder.Path, "x", Cancel);
        Assert.Contains("cannot be used", (await Assert.ThrowsAsync<StoreException>(() => OpenAsync())).Message);
    }

    [Fact]
    public async Task A_damaged_database_is_refused_and_its_lock_is_free_again()
    {
        Directory.CreateDirectory(_folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var file = Path.Combine(_folder.Path, "sallyport.db");
        await File.WriteAllBytesAsync(file, Body(8192), Cancel);
        Assert.Contains("cannot be opened", (await Assert.ThrowsAsync<StoreException>(() => OpenAsync())).Message);
        File.Delete(file);
        await (await OpenAsync()).DisposeAsync();
    }

    [Fact]
    public async Task A_database_of_a_newer_release_is_left_alone()
    {
        await (await OpenAsync()).DisposeAsync();
        _folder.Query("PRAGMA user_version = 999");
        Assert.Contains("newer Sallyport", (await Assert.ThrowsAsync<StoreException>(() => OpenAsync())).Message);
        Assert.Equal(999L, _folder.Query("PRAGMA user_version").Single());
    }

    [Fact]
    public async Task A_database_of_an_older_release_is_taken_on_with_what_it_holds()
    {
        Directory.CreateDirectory(_folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _folder.Query(SourceTree.Read("src/Sallyport.Store/Sqlite/schema-1.sql") + "PRAGMA user_version = 1");
        _folder.Query(
            """
            INSERT INTO message VALUES (1, 'MESSAGE0001', 0, 'jane', '', '', '', '', 0, 0, NULL, NULL, 0, NULL, 0, 1, 0, x'00');
            INSERT INTO recipient VALUES (1, 0, 'a@example.com', 0, NULL, 0, 0, 0, '', 0)
            """);
        await using var upgraded = await OpenAsync();
        Assert.Equal(3L, _folder.Query("PRAGMA user_version").Single());
        Assert.Equal("0 Due", States(await upgraded.Spool.FindAsync(Id(1), Cancel)));
        await upgraded.MarkAsync("x", [1], Cancel);
    }

    private static void Throw(bool broken)
    {
        if (broken)
        {
            throw new IOException("Input/output error");
        }
    }

    private Task<SqliteStore> OpenAsync(Func<SqliteStoreOptions, SqliteStoreOptions>? change = null) => _folder.OpenAsync(Cancel, _time, change);
}
