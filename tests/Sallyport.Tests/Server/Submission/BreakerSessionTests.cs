using Sallyport.Server.Configuration;
using Sallyport.Server.Sending;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>A client that the server cannot help tries again: that is no sign of a stolen login.</summary>
public sealed class BreakerSessionTests
{
    private const string Jane = "jane@acme.test";
    private const string Content = "Subject: invitation\r\n\r\ntext\r\n.\r\n";

    [Fact]
    public void New_recipients_tried_again_on_a_stalled_disk_do_not_stop_the_login()
    {
        var gate = new TaskCompletionSource();
        var (bench, breaker) = Open();
        using (bench)
        {
            bench.Store.Faults.CommitGate = gate.Task;
            for (var i = 0; i < 5; i++)
            {
                Begin(bench, i);
                Assert.Equal("", bench.Send(Content));
                bench.Clock.Advance(new TimeoutOptions().Commit);
                Assert.StartsWith("451 4.3.0", bench.Wire.Take());
            }

            bench.Store.Faults.CommitGate = Task.CompletedTask;
            Assert.Equal(default, breaker.StateOf(Jane, []).Day);
            Begin(bench, 5);
            Assert.StartsWith("250 2.0.0 Ok: queued as ", bench.Send(Content));
            Assert.Equal((0, 10L), (breaker.Trips.Count, breaker.StateOf(Jane, []).Day.FirstTimeRecipients));
            gate.SetResult();
        }
    }

    [Fact]
    public void New_recipients_tried_again_on_a_full_disk_do_not_stop_the_login()
    {
        var (bench, breaker) = Open();
        using (bench)
        {
            for (var i = 0; i < 5; i++)
            {
                Begin(bench, i);
                bench.Store.Faults.DiskLow = true;
                Assert.StartsWith("452 4.3.1", bench.Send(Content));
                bench.Store.Faults.DiskLow = false;
            }

            Assert.Equal(default, breaker.StateOf(Jane, []).Day);
            Begin(bench, 5);
            Assert.StartsWith("250 2.0.0 Ok: queued as ", bench.Send(Content));
            Assert.Equal((0, 10L), (breaker.Trips.Count, breaker.StateOf(Jane, []).Day.FirstTimeRecipients));
        }
    }

    [Fact]
    public void What_is_kept_counts_and_stops_the_login_at_its_limit()
    {
        var (bench, breaker) = Open();
        using (bench)
        {
            for (var i = 0; i < 5; i++)
            {
                Begin(bench, i);
                Assert.StartsWith("250 2.0.0 Ok: queued as ", bench.Send(Content));
            }

            Assert.Equal("first_contacts_per_hour", Assert.Single(breaker.Trips).Sign);
            Assert.Equal(40, breaker.StateOf(Jane, []).Day.FirstTimeRecipients); // the fifth message is held: nobody was written to
        }
    }

    private static (SubmissionBench Bench, Breaker Breaker) Open()
    {
        var bench = new SubmissionBench(change: options => options with { Breaker = new BreakerOptions { TrustedNetworks = [] } }, breaker: true);
        return (bench.LoggedIn(), bench.Site.Abuse.Breaker);
    }

    private static void Begin(SubmissionBench bench, int batch)
    {
        bench.Send($"MAIL FROM:<{Jane}>\r\n");
        for (var i = 0; i < 10; i++)
        {
            Assert.StartsWith("250", bench.Send($"RCPT TO:<u{batch}.{i}@example.com>\r\n"));
        }

        Assert.StartsWith("354", bench.Send("DATA\r\n"));
    }
}
