using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>A client that leaves, or all but stops, within its message costs itself the session and us nothing.</summary>
public sealed class ContentEndTests
{
    [Theory]
    [InlineData("BDAT 9\r\n")]
    [InlineData("BDAT 9 LAST\r\n")]
    [InlineData("DATA\r\n")]
    public async Task A_client_that_leaves_right_behind_the_command_is_no_fault_of_ours(string command)
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Send("MAIL FROM:<jane@acme.test>\r\n", "RCPT TO:<bob@example.com>\r\n");
        bench.Wire.SendLast(System.Text.Encoding.ASCII.GetBytes(command));
        Assert.True(bench.IsClosed);
        await bench.Run;
        Assert.Equal("the client left within the content", bench.Why);
        Assert.Empty(bench.Log.Events.OfType<MailEvent.Problem>());
        Assert.Empty(bench.Kept());
    }

    [Fact]
    public void Octets_that_trickle_are_too_slow_also_when_each_is_a_chunk_of_its_own()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Send("MAIL FROM:<jane@acme.test>\r\n", "RCPT TO:<bob@example.com>\r\n");
        var wait = new TimeoutOptions().DataBlock - TimeSpan.FromSeconds(10);
        bench.Send("BDAT 1\r\n");
        bench.Clock.Advance(wait);
        Assert.Equal("250 2.0.0 Chunk taken\r\n", bench.Send("x"));
        bench.Send("BDAT 1\r\n");
        bench.Clock.Advance(wait);
        Assert.Equal("421 4.4.2 Too slow, closing the connection\r\n", bench.Send("x"));
        Assert.True(bench.IsClosed);
        Assert.Equal("too slow", bench.Why);
    }

    [Fact]
    public void Time_between_two_chunks_is_not_held_against_the_content()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Send("MAIL FROM:<jane@acme.test>\r\n", "RCPT TO:<bob@example.com>\r\n");
        for (var chunk = 0; chunk < 3; chunk++)
        {
            Assert.Equal("250 2.0.0 Chunk taken\r\n", bench.Send("BDAT 1\r\nx"));
            bench.Clock.Advance(new TimeoutOptions().Command - TimeSpan.FromSeconds(10));
        }

        Assert.False(bench.IsClosed);
    }
}
