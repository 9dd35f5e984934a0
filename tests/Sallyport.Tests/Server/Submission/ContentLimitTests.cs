using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>Content has an end, in octets and in time.</summary>
public sealed class ContentLimitTests
{
    private const string Message = "MAIL FROM:<jane@acme.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n";

    [Fact]
    public void A_disk_that_stalls_while_content_arrives_becomes_451_at_its_deadline()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Store.Faults.WriteGate = new TaskCompletionSource().Task;
        bench.Send(Message);
        Assert.Equal("", bench.Send("Subject: big\r\n\r\nbody\r\n.\r\n"));
        bench.Clock.Advance(new TimeoutOptions().Commit);
        Assert.Equal("451 4.3.0 The message could not be stored, try again later\r\n", bench.Wire.Take());
        Assert.Empty(bench.Messages());
        bench.Store.Faults.WriteGate = Task.CompletedTask;
        bench.Send(Message);
        Assert.StartsWith("250 ", bench.Send("Subject: again\r\n\r\nbody\r\n.\r\n"));
    }

    [Fact]
    public void Content_is_followed_to_its_end_over_the_limit_but_not_beyond_twice_the_limit()
    {
        var line = "a: " + new string('x', 95) + "\r\n";
        using var bench = Limited(1000).LoggedIn();
        bench.Send(Message);
        for (var i = 0; i < 15; i++)
        {
            Assert.Equal("", bench.Send(line));
        }

        Assert.StartsWith("552 5.3.4 ", bench.Send(".\r\n"));
        Assert.False(bench.IsClosed);
        bench.Send(Message);
        for (var i = 0; i < 21; i++)
        {
            Assert.False(bench.IsClosed);
            bench.Wire.Send(System.Text.Encoding.ASCII.GetBytes(line));
        }

        Assert.Contains("552 5.3.4 ", bench.Wire.Take());
        Assert.True(bench.IsClosed);
        Assert.Equal("far more content than the limit", bench.Why);
    }

    [Fact]
    public void A_refused_content_and_a_refused_header_are_logged_with_their_queue_id()
    {
        using var bench = Limited(1000).LoggedIn();
        bench.Send(Message);
        bench.Send("a\0b: \r\n.\r\n");
        bench.Send(Message);
        bench.Send("no header\r\n.\r\n");
        var subjects = bench.Log.Events.OfType<MailEvent.Refused>().Select(refused => refused.Subject).ToList();
        Assert.Matches("^[0-9A-Z]{10,} \\(content\\)$", subjects[0]);
        Assert.Matches("^[0-9A-Z]{10,} \\(header\\)$", subjects[1]);
    }

    private static SubmissionBench Limited(long bytes) => new(
        change: options => options with { Limits = options.Limits with { Smtp = new SmtpLimits { MessageBytes = bytes } } });
}
