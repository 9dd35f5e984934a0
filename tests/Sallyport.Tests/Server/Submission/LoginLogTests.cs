using System.Text;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>Each login that failed is one line of the log, with the reason; whoever guards the site counts on it.</summary>
public sealed class LoginLogTests
{
    private const string Scram = "AUTH SCRAM-SHA-256 biwsbj1qYW5lQGFjbWUudGVzdCxyPWZ5a28rZDJsYmJGZ09OUnY=\r\n";

    private readonly ScriptedDirectory _directory = new()
    {
        Answers = new() { ["jane@acme.test"] = "wrong" },
        Verifiers = new() { ["jane@acme.test"] = new ScramVerifier(4096, new byte[16], new byte[32], new byte[32]) },
    };

    [Fact]
    public void A_wrong_guess_after_an_unavailable_directory_is_logged_with_SCRAM_as_with_PLAIN()
    {
        using var bench = new SubmissionBench(directory: _directory);
        bench.Send("EHLO laptop\r\n");
        _directory.Answers["jane@acme.test"] = "unavailable";
        _directory.Verifiers.Remove("jane@acme.test", out var verifier);
        Assert.StartsWith("454 ", bench.Send(SubmissionBench.Login));
        Assert.StartsWith("454 ", bench.Send(Scram));
        _directory.Answers["jane@acme.test"] = "wrong";
        _directory.Verifiers["jane@acme.test"] = verifier!;
        Assert.StartsWith("535 ", GuessWithScram(bench));
        Assert.StartsWith("535 ", bench.Send(SubmissionBench.Login));
        Assert.StartsWith("535 ", GuessWithScram(bench));
        Assert.True(bench.IsClosed);
        Assert.Equal(
            ["PLAIN unavailable: the directory is away", "SCRAM-SHA-256 unavailable: the directory is away",
                "SCRAM-SHA-256 failed: wrong password, wrong binding or unknown login", "PLAIN failed: wrong password",
                "SCRAM-SHA-256 failed: wrong password, wrong binding or unknown login"],
            Failures(bench));
        Assert.Equal("too many failed logins", bench.Why);
    }

    [Fact]
    public void What_cannot_be_read_and_what_is_given_up_are_logged_once_each()
    {
        using var bench = new SubmissionBench(directory: _directory);
        bench.Send("EHLO laptop\r\n");
        bench.Send("AUTH PLAIN !!!\r\n");
        bench.Send("AUTH LOGIN\r\n");
        bench.Send("*\r\n");
        Assert.Equal(["PLAIN failed: the client's answer cannot be read", "LOGIN unavailable: cancelled by the client"], Failures(bench));
    }

    [Fact]
    public void A_login_that_succeeds_is_logged_once_and_fails_nowhere()
    {
        using var bench = new SubmissionBench().LoggedIn();
        Assert.Single(bench.Log.Events.OfType<MailEvent.LoginSucceeded>());
        Assert.Empty(Failures(bench));
    }

    private static string GuessWithScram(SubmissionBench bench)
    {
        var challenge = Encoding.ASCII.GetString(Convert.FromBase64String(bench.Send(Scram)[4..].Trim()));
        var final = $"c=biws,{challenge.Split(',')[0]},p={Convert.ToBase64String(new byte[32])}";
        return bench.Send(Convert.ToBase64String(Encoding.ASCII.GetBytes(final)) + "\r\n");
    }

    private static string[] Failures(SubmissionBench bench) => [.. bench.Log.Events.Select(one => one switch
    {
        MailEvent.LoginFailed failed => $"{failed.Mechanism} failed: {failed.Why}",
        MailEvent.LoginUnavailable unavailable => $"{unavailable.Mechanism} unavailable: {unavailable.Why}",
        _ => "",
    }).Where(line => line.Length > 0)];
}
