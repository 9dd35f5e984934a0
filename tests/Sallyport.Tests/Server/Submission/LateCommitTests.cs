using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>The store takes too long: the client is told 451 and keeps its message, so it must not go out from here as well.</summary>
public sealed class LateCommitTests
{
    private const string Message = "MAIL FROM:<jane@acme.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_commit_that_ends_after_451_is_not_there_to_be_relayed(bool roomInMemory)
    {
        var gate = new TaskCompletionSource();
        using var bench = new SubmissionBench().LoggedIn();
        if (!roomInMemory)
        {
            Assert.NotNull(bench.Handoff.TryReserve(1024 * 1024)); // nothing more fits
        }

        bench.Store.Faults.CommitGate = gate.Task;
        bench.Send(Message);
        Assert.Equal("", bench.Send("Subject: late\r\n\r\ntext\r\n.\r\n"));
        bench.Clock.Advance(new TimeoutOptions().Commit);
        Assert.Equal("451 4.3.0 Storing the message takes too long, try again later\r\n", bench.Wire.Take());
        Assert.Equal("250 2.0.0 Ok\r\n", bench.Send("NOOP\r\n"));
        gate.SetResult();
        Assert.Empty(bench.Messages());
        Assert.Empty(await bench.Store.Spool.ClaimDueAsync(DateTimeOffset.MaxValue, 10, Cancel));
        Assert.False(bench.Handoff.Accepted.TryRead(out _));
        Assert.Empty(bench.Log.Events.OfType<MailEvent.Problem>());
        Assert.Equal(roomInMemory, bench.Handoff.TryReserve(1024 * 1024 - 1) is not null); // what was taken for it is back
    }

    [Fact]
    public void The_next_message_of_the_session_is_kept()
    {
        var gate = new TaskCompletionSource();
        using var bench = new SubmissionBench().LoggedIn();
        bench.Store.Faults.CommitGate = gate.Task;
        bench.Send(Message);
        bench.Send("Subject: late\r\n\r\ntext\r\n.\r\n");
        bench.Clock.Advance(new TimeoutOptions().Commit);
        bench.Store.Faults.CommitGate = Task.CompletedTask;
        bench.Send(Message);
        Assert.StartsWith("250 2.0.0 Ok: queued as ", bench.Send("Subject: again\r\n\r\ntext\r\n.\r\n"));
        gate.SetResult();
        Assert.Contains("Subject: again", Assert.Single(bench.Kept()));
    }
}
