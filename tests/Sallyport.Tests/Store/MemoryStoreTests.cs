using Sallyport.Store;
using Sallyport.Store.Memory;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

public sealed class MemoryStoreTests : TwoClientsContract
{
    private MemoryFaults Faults => ((MemoryStore)Store).Faults;

    protected override Task<IStore> OpenAsync() => Task.FromResult<IStore>(new MemoryStore(Time));

    protected override Task<IStore> ConnectAsync(string node) => Task.FromResult<IStore>(((MemoryStore)Store).Connect(node));

    [Fact]
    public async Task A_failed_commit_is_final()
    {
        await Spool.KeepAsync(1, Record("a@example.com"), []);
        Faults.FailNextCommit = true;
        Assert.IsType<CommitResult.StoreFailed>(await Spool.KeepAsync(2, Record("a@example.com"), []));
        Faults.FailNextCommit = false;
        Assert.IsType<CommitResult.StoreFailed>(await Spool.KeepAsync(3, Record("a@example.com"), []));
        Assert.Equal(SpoolHealth.Failed, Spool.Health);
        Assert.True(Spool.Failed.IsCompletedSuccessfully);
        Assert.False(Spool.HasRoomFor(1));
        await Assert.ThrowsAsync<StoreException>(async () => await Spool.ClaimDueAsync(Now, 1, Cancel));
        await Assert.ThrowsAsync<StoreException>(async () => await Spool.RecordAsync([], [Report(4)], Cancel));
        await Assert.ThrowsAsync<StoreException>(async () => await Spool.HoldAsync(Id(1), "x", Cancel));
        await Assert.ThrowsAsync<StoreException>(async () => await Spool.RemoveAsync(Id(1), Cancel));
        Assert.Equal(["0001"], Ids(await Spool.ListAsync(new QueueFilter(), Cancel)));
    }

    [Fact]
    public async Task A_low_disk_refuses_and_recovers()
    {
        Faults.DiskLow = true;
        Assert.Equal(SpoolHealth.DiskLow, Spool.Health);
        Assert.False(Spool.HasRoomFor(1));
        Assert.IsType<CommitResult.NoRoom>(await Spool.KeepAsync(1, Record("a@example.com"), []));
        Faults.DiskLow = false;
        Assert.Equal(SpoolHealth.Accepting, Spool.Health);
        Assert.IsType<CommitResult.Durable>(await Spool.KeepAsync(1, Record("a@example.com"), []));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_commit_withdrawn_while_it_waits_is_never_written(bool claim)
    {
        var gate = new TaskCompletionSource();
        Faults.CommitGate = gate.Task;
        await using var submission = Spool.Begin(Id(1));
        var commit = submission.CommitAsync(Record("bob@example.com"), Header, claim, Cancel);
        var withdrawal = submission.WithdrawAsync();
        Assert.False(withdrawal.IsCompleted);
        gate.SetResult();
        Assert.True(await withdrawal);
        Assert.IsType<CommitResult.Withdrawn>(await commit);
        Assert.Null(await Spool.FindAsync(Id(1), Cancel));
    }

    [Fact]
    public async Task A_commit_waits_for_its_gate()
    {
        var gate = new TaskCompletionSource();
        Faults.CommitGate = gate.Task;
        var commit = Spool.KeepAsync(1, Record("a@example.com"), []);
        Assert.False(commit.IsCompleted);
        Assert.Null(await Spool.FindAsync(Id(1), Cancel));
        gate.SetResult();
        Assert.IsType<CommitResult.Durable>(await commit);
    }
}
