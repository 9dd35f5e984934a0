using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>What a session writes to the log is bounded, and holds no secret.</summary>
public sealed class SessionLogTests
{
    [Theory]
    [InlineData("MAIL FROM:<boss@acme.test>\r\n", "553 5.7.1")]
    [InlineData("MAIL FROM:<jane@acme.test> SIZE=999999999\r\n", "552 5.3.4")]
    public void Refused_senders_end_the_session_after_a_hundred(string command, string refusal)
    {
        using var bench = new SubmissionBench().LoggedIn();
        for (var i = 1; i < new SmtpLimits().PolicyRefusals; i++)
        {
            Assert.StartsWith(refusal, bench.Send(command));
        }

        Assert.Equal("421 4.7.0 Too many refused senders and recipients, closing the connection\r\n", bench.Send(command));
        Assert.True(bench.IsClosed);
    }

    [Fact]
    public void Twenty_thousand_refused_recipients_write_twenty_one_lines()
    {
        using var bench = new SubmissionBench(
            change: options => options with { Routes = [new RouteOptions { Recipients = ["acme.test"], Capture = "/nowhere" }] }).LoggedIn();
        bench.Send("MAIL FROM:<jane@acme.test>\r\n");
        bench.Send(string.Concat(Enumerable.Repeat("RCPT TO:<bob@example.com>\r\n", 20_000)));
        Assert.True(bench.IsClosed);
        Assert.Equal(20, bench.Log.Events.OfType<MailEvent.Refused>().Count());
        var omitted = Assert.Single(bench.Log.Events.OfType<MailEvent.RefusalsOmitted>());
        Assert.Equal(("jane@acme.test", 80), (omitted.Login, omitted.Count));
    }

    [Fact]
    public void A_few_refusals_have_a_line_each_and_no_summary()
    {
        using (var bench = new SubmissionBench().LoggedIn())
        {
            bench.Send("MAIL FROM:<boss@acme.test>\r\n", "QUIT\r\n");
            Assert.Single(bench.Log.Events.OfType<MailEvent.Refused>());
            Assert.Empty(bench.Log.Events.OfType<MailEvent.RefusalsOmitted>());
        }
    }

    [Fact]
    public void A_login_without_TLS_is_logged_once_and_without_its_secret()
    {
        using var bench = new SubmissionBench(ListenerTls.StartTls);
        bench.Send("EHLO laptop\r\n");
        Assert.StartsWith("538 5.7.11", bench.Send(SubmissionBench.Login));
        Assert.StartsWith("538 5.7.11", bench.Send(SubmissionBench.Login));
        Assert.Equal(new MailEvent.LoginInClear("SESSION1", "192.0.2.7", "PLAIN"), Assert.Single(bench.Log.Events.OfType<MailEvent.LoginInClear>()));
        var lines = Lines(bench);
        Assert.Contains("192.0.2.7 tried to log in without TLS", lines, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", lines, StringComparison.Ordinal);
        Assert.DoesNotContain("AGphbmV", lines, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_no_TLS_is_asked_for_a_login_is_nothing_to_tell()
    {
        using var bench = new SubmissionBench().LoggedIn();
        Assert.Empty(bench.Log.Events.OfType<MailEvent.LoginInClear>());
    }

    [Theory]
    [InlineData("unknown", "Sommer-2026!", "So… (12 characters)")]
    [InlineData("unknown", "kim@acme.test", "kim@acme.test")]
    [InlineData("unavailable", "Sommer-2026!", "So… (12 characters)")]
    [InlineData("wrong", "Sommer-2026!", "Sommer-2026!")]
    [InlineData("disabled", "Sommer-2026!", "Sommer-2026!")]
    public void What_was_typed_is_shown_in_full_when_it_is_a_login(string answer, string typed, string shown)
    {
        var directory = new ScriptedDirectory { Answers = new() { [typed.ToLowerInvariant()] = answer } };
        using var bench = new SubmissionBench(directory: directory);
        bench.Send("EHLO laptop\r\n");
        bench.Send($"AUTH PLAIN {Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"\0{typed}\0x"))}\r\n");
        Assert.Contains(shown, Lines(bench), StringComparison.Ordinal);
        Assert.Equal(shown == typed, Lines(bench).Contains(typed, StringComparison.Ordinal));
    }

    private static string Lines(SubmissionBench bench) => string.Join('\n',
        from style in (ILineFormatter[])[new HumanFormatter(), new JsonFormatter(), new DominoFormatter()]
        from one in bench.Log.Events
        select style.Format(one, bench.Clock.GetUtcNow()));
}
