using System.Text.Json;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>Mail that the store does not take is an error with its cause, and no refusal by policy.</summary>
public sealed class StoreRefusalTests
{
    private const string Envelope = "MAIL FROM:<jane@acme.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n";
    private const string Content = "Subject: hello\r\n\r\ntext\r\n.\r\n";

    [Fact]
    public void A_write_that_fails_keeps_its_cause()
    {
        var store = new MemoryStore();
        var spool = new FaultySpool(store.Spool) { OnBegin = inner => new FailingWrites(inner, new IOException("Input/output error on /dev/sdb1")) };
        using var bench = new SubmissionBench(spool: spool).LoggedIn();
        bench.Send(Envelope);
        Assert.Equal(Replies.StoreFailed + "\r\n", bench.Send(Content));
        var refused = Refused(bench);
        Assert.Equal(("jane@acme.test", "Input/output error on /dev/sdb1", Replies.StoreFailed), (refused.Login, refused.Cause, refused.Reply));
        Assert.NotNull(refused.Id);
        Assert.Equal("250 2.0.0 Ok\r\n", bench.Send("NOOP\r\n"));
    }

    [Fact]
    public void A_write_that_stalls_says_for_how_long()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Store.Faults.WriteGate = new TaskCompletionSource().Task;
        bench.Send(Envelope);
        Assert.Equal("", bench.Send(Content));
        bench.Clock.Advance(new TimeoutOptions().Commit);
        Assert.Equal(Replies.StoreFailed + "\r\n", bench.Wire.Take());
        Assert.Contains($"more than {new TimeoutOptions().Commit.TotalSeconds:0} s", Refused(bench).Cause);
    }

    [Fact]
    public void A_commit_that_fails_keeps_its_cause()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Send(Envelope);
        bench.Store.Faults.FailNextCommit = true;
        Assert.Equal(Replies.StoreFailed + "\r\n", bench.Send(Content));
        Assert.Equal("the store failed", Refused(bench).Cause);
    }

    [Fact]
    public void A_full_disk_is_told_with_its_figures_at_MAIL_and_at_the_commit()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Send(Envelope);
        bench.Store.Faults.DiskLow = true;
        Assert.Equal(Replies.NoRoom + "\r\n", bench.Send(Content));
        Assert.Equal(Replies.NoRoom + "\r\n", bench.Send("MAIL FROM:<jane@acme.test>\r\n"));
        Assert.All(bench.Log.Events.OfType<MailEvent.StoreRefused>(), refused => Assert.Equal(bench.Store.Spool.WhyNoRoom, refused.Cause));
        Assert.Equal(["(commit)", "<jane@acme.test>"], bench.Log.Events.OfType<MailEvent.StoreRefused>().Select(refused => refused.Subject));
        Assert.Empty(bench.Log.Events.OfType<MailEvent.Refused>());
    }

    [Fact]
    public void Each_style_of_the_log_tells_the_cause_and_JSON_that_it_is_an_error()
    {
        var refused = new MailEvent.StoreRefused("S1", default(QueueId), "192.0.2.7", "jane", "(commit)", "Input/output error", Replies.StoreFailed);
        var at = new DateTimeOffset(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);
        Assert.Contains("NOT STORED", new HumanFormatter().Format(refused, at));
        Assert.Contains("Input/output error; the client was told 451 4.3.0", new HumanFormatter().Format(refused, at));
        Assert.Contains("Input/output error", new DominoFormatter().Format(refused, at));
        using var json = JsonDocument.Parse(new JsonFormatter().Format(refused, at)!);
        Assert.Equal("error", json.RootElement.GetProperty("level").GetString());
        Assert.Equal("store_refused", json.RootElement.GetProperty("event").GetString());
        Assert.Equal("Input/output error", json.RootElement.GetProperty("cause").GetString());
    }

    private static MailEvent.StoreRefused Refused(SubmissionBench bench)
    {
        Assert.Empty(bench.Log.Events.OfType<MailEvent.Refused>());
        return Assert.Single(bench.Log.Events.OfType<MailEvent.StoreRefused>());
    }

    private sealed class FailingWrites(IPendingMessage inner, Exception exception) : IPendingMessage
    {
        public ValueTask WriteAsync(ReadOnlyMemory<byte> body, CancellationToken cancel) => ValueTask.FromException(exception);

        public ValueTask<CommitResult> CommitAsync(MessageRecord record, ReadOnlyMemory<byte> header, bool claim, CancellationToken cancel) =>
            inner.CommitAsync(record, header, claim, cancel);

        public ValueTask<bool> WithdrawAsync() => inner.WithdrawAsync();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
