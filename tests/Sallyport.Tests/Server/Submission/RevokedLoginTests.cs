using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>A login that is disabled while its session lasts sends nothing more.</summary>
public sealed class RevokedLoginTests
{
    private const string Mail = "MAIL FROM:<jane@acme.test>\r\n";

    [Theory]
    [InlineData("disabled", "jane@acme.test: the account is disabled")]
    [InlineData("unknown", "jane@acme.test: unknown login")]
    public void The_next_message_of_a_session_under_way_is_refused_and_the_session_ends(string since, string logged)
    {
        using var bench = new SubmissionBench().LoggedIn();
        Assert.StartsWith("250 ", bench.Send(Mail));
        bench.Directory.Answers["jane@acme.test"] = since;
        bench.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.StartsWith("250 ", bench.Send("RSET\r\n"));
        Assert.Equal("550 5.7.13 The account may no longer send, closing the connection\r\n", bench.Send(Mail));
        Assert.True(bench.IsClosed);
        Assert.Equal(logged, bench.Log.Events.OfType<MailEvent.Refused>().Single().Subject);
    }

    [Fact]
    public void A_directory_that_is_away_stops_nobody_who_is_logged_in()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Directory.Answers["jane@acme.test"] = "unavailable";
        bench.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.StartsWith("250 ", bench.Send(Mail));
    }

    [Fact]
    public void The_directory_is_asked_every_few_seconds_and_not_for_every_message()
    {
        using var bench = new SubmissionBench().LoggedIn();
        for (var i = 0; i < 100; i++)
        {
            bench.Send(Mail, "RSET\r\n");
            bench.Clock.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(bench.Directory.LookUps, 1, 2);
    }
}
