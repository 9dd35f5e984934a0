using System.Runtime.Versioning;
using Microsoft.Data.Sqlite;
using Sallyport.Store;
using Sallyport.Store.Sqlite;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

[UnsupportedOSPlatform("windows")]
public sealed class SqliteStoreTests : TwoClientsContract
{
    private readonly StoreFolder _folder = new();

    protected override async Task<IStore> OpenAsync() => await _folder.OpenAsync(Cancel, time: Time);

    protected override async Task<IStore> ConnectAsync(string node) => await ((SqliteStore)Store).ConnectAsync(node, Cancel);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_was_kept_is_there_after_a_restart()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), Body(1024 * 1024));
        await Store.Accounts.AddAsync(Sample("jane"), Cancel);
        await Store.MarkAsync("key", new byte[] { 7 }, Cancel);
        await Store.DisposeAsync();
        await using var again = await _folder.OpenAsync(Cancel);
        Assert.Equal("0 Due, 1 Due", States(await again.Spool.FindAsync(Id(1), Cancel)));
        Assert.Equal(Whole(1024 * 1024), await again.Spool.ReadAsync(1, Cancel));
        Assert.NotNull(await again.Accounts.FindAsync("jane", Cancel));
        Assert.Equal(7, Assert.Single((await again.MarkOfAsync("key", Cancel))!));
    }

    [Fact]
    public async Task After_a_crash_what_was_in_progress_is_due_and_half_received_content_is_swept()
    {
        await Spool.KeepAsync(1, Record("a@example.com", "b@example.com"), Body(1024 * 1024), claim: true);
        await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed)], [], Cancel);
        var half = Spool.Begin(Id(2));
        await half.WriteAsync(Body(1024 * 1024), Cancel);
        using var crashed = _folder.Copy(); // the files as a crash at this moment leaves them
        Assert.Equal(8 + 7, crashed.Count("chunk")); // the last of the second still waited in memory
        await using var store = await crashed.OpenAsync(Cancel);
        Assert.Equal("0 Relayed, 1 Due", States(await store.Spool.FindAsync(Id(1), Cancel)));
        Assert.Equal(Whole(1024 * 1024), await store.Spool.ReadAsync(1, Cancel));
        Assert.Null(await store.Spool.FindAsync(Id(2), Cancel));
        Assert.Equal(8, crashed.Count("chunk"));
    }

    [Fact]
    public async Task A_submission_given_up_leaves_no_chunk_on_disk()
    {
        var given_up = Spool.Begin(Id(1));
        await given_up.WriteAsync(Body(1024 * 1024), Cancel);
        Assert.True(_folder.Count("chunk") > 0);
        await given_up.DisposeAsync();
        await Store.MarkAsync("after", new byte[] { 1 }, Cancel); // comes behind it in the writer's queue
        Assert.Equal(0, _folder.Count("chunk"));
    }

    [Fact]
    public async Task Settled_and_removed_messages_leave_no_row()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), Body(1024 * 1024), claim: true);
        await Spool.KeepAsync(2, Record("a@example.com"), Body(1024 * 1024));
        await Spool.RecordAsync([Outcome(1, 0, RecipientState.Relayed)], [], Cancel);
        await Spool.RemoveAsync(Id(2), Cancel);
        Assert.Equal((0, 0, 0), (_folder.Count("message"), _folder.Count("recipient"), _folder.Count("chunk")));
    }

    [Fact]
    public async Task A_large_message_is_not_carried_in_memory()
    {
        var kept = Assert.IsType<CommitResult.Durable>(await Spool.KeepAsync(1, Record("a@example.com"), Body(300_000), claim: true));
        Assert.Null(kept.Message.Content);
        Assert.Equal(Whole(300_000), await Spool.ReadAsync(1, Cancel));
    }

    [Fact]
    public async Task A_second_opener_is_refused_and_the_first_goes_on()
    {
        var exception = await Assert.ThrowsAsync<StoreException>(() => _folder.OpenAsync(Cancel));
        Assert.Contains("another Sallyport uses this data directory", exception.Message);
        Assert.IsType<CommitResult.Durable>(await Spool.KeepAsync(1, Record("a@example.com"), []));
    }

    [Fact]
    public async Task The_same_queue_id_twice_costs_only_the_second()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), Body(10));
        Assert.IsType<CommitResult.StoreFailed>(await Spool.KeepAsync(1, Record("b@example.com"), Body(20)));
        Assert.Equal(SpoolHealth.Accepting, Spool.Health);
        Assert.Equal(Whole(10), await Spool.ReadAsync(1, Cancel));
    }

    [Fact]
    public async Task Files_can_be_read_by_nobody_else()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), []);
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        foreach (var end in new[] { "", "-wal", "-shm" })
        {
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path.Combine(_folder.Path, "sallyport.db" + end)) & Others);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder.Path));
    }

    [Fact]
    public async Task A_reader_of_a_large_message_that_is_removed_says_so()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), Body(1024 * 1024));
        await using var reader = (await Spool.OpenContentAsync(Id(1), Cancel))!;
        await Spool.RemoveAsync(Id(1), Cancel);
        await reader.ReadAsync(Cancel);
        await Assert.ThrowsAsync<StoreException>(async () => await reader.ReadAsync(Cancel));
    }
}

/// <summary>A data directory that goes with its test.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class StoreFolder : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("sallyport-store-").FullName;

    public string Path => System.IO.Path.Combine(_parent, "data");

    public Task<SqliteStore> OpenAsync(
        CancellationToken cancel, TimeProvider? time = null, Func<SqliteStoreOptions, SqliteStoreOptions>? change = null)
    {
        var options = new SqliteStoreOptions(Path, 0, 0) { ProbeDisk = static _ => (long.MaxValue / 4, long.MaxValue / 4) };
        return SqliteStore.OpenAsync(change is null ? options : change(options), time ?? TimeProvider.System, cancel);
    }

    /// <summary>The files as they are on disk now.</summary>
    public StoreFolder Copy()
    {
        var copy = new StoreFolder();
        Directory.CreateDirectory(copy.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var file in Directory.EnumerateFiles(Path, "sallyport.db*").Where(file => !file.EndsWith("-shm", StringComparison.Ordinal)))
        {
            File.Copy(file, System.IO.Path.Combine(copy.Path, System.IO.Path.GetFileName(file)));
        }

        return copy;
    }

    public long Count(string table) => (long)Query($"SELECT count(*) FROM {table}").Single();

    /// <summary>The first column of what a statement gives, read beside the store.</summary>
    public List<object> Query(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={System.IO.Path.Combine(Path, "sallyport.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this test
        command.CommandText = sql;
#pragma warning restore CA2100
        using var row = command.ExecuteReader();
        var values = new List<object>();
        while (row.Read())
        {
            values.Add(row.GetValue(0));
        }

        return values;
    }

    public void Dispose() => Directory.Delete(_parent, recursive: true);
}
