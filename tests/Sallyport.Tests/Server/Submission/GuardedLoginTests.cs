using System.Text;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>SCRAM and tokens under the guard: what waits, what counts, and who is not asked.</summary>
public sealed class GuardedLoginTests
{
    private const string Scram = "AUTH SCRAM-SHA-256 biwsbj1qYW5lQGFjbWUudGVzdCxyPWZ5a28rZDJsYmJGZ09OUnY=\r\n";

    private readonly ScriptedDirectory _directory = new()
    {
        Verifiers = new() { ["jane@acme.test"] = new ScramVerifier(4096, new byte[16], new byte[32], new byte[32]) },
    };

    private readonly ScriptedAssertions _assertions = new() { Tokens = new() { ["right"] = "jane@acme.test" } };

    [Fact]
    public void A_wrong_proof_waits_as_a_wrong_password_does_and_the_longer_the_more_there_were()
    {
        using var bench = Bench();
        double[] waits = [500, 500, 1000, 2000];
        foreach (var wait in waits)
        {
            Assert.Equal("", Prove(bench));
            bench.Clock.Advance(TimeSpan.FromMilliseconds(wait - 1));
            Assert.Equal("", bench.Send(""));
            bench.Clock.Advance(TimeSpan.FromMilliseconds(1));
            Assert.StartsWith("535 ", bench.Send(""));
        }

        Assert.Equal("", Prove(bench));
        bench.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.StartsWith("535 ", bench.Send(""));
        Assert.StartsWith("454 ", bench.Send(Scram)); // five are as many as one network may
    }

    [Fact]
    public void An_exchange_that_is_given_up_is_no_guess()
    {
        using var bench = Bench();
        for (var i = 0; i < 20; i++)
        {
            Assert.StartsWith("334 ", bench.Send(Scram));
            Assert.StartsWith("501 ", bench.Send("*\r\n"));
        }

        Assert.StartsWith("334 ", bench.Send(Scram));
    }

    [Fact]
    public void A_wrong_token_waits_and_the_same_again_is_not_judged_again()
    {
        using var bench = Bench();
        Assert.Equal("", bench.Send(Token("expired")));
        bench.Clock.Advance(TimeSpan.FromMilliseconds(500));
        Assert.StartsWith("334 ", bench.Send(""));
        Assert.StartsWith("535 ", bench.Send("AQ==\r\n"));
        bench.Send(Token("expired"));
        bench.Clock.Advance(TimeSpan.FromMilliseconds(500));
        Assert.StartsWith("334 ", bench.Send(""));
        Assert.Equal(1, _assertions.Judged);
        Assert.Single(bench.Log.Events.OfType<MailEvent.StaleSecret>());
        Assert.Single(bench.Log.Events.OfType<MailEvent.LoginFailed>());
    }

    [Fact]
    public void Forged_tokens_ban_the_network_and_a_banned_network_asks_no_provider()
    {
        using var bench = Bench();
        for (var i = 0; i < 20; i++)
        {
            bench.Send(Token($"forged{i}"));
            bench.Clock.Advance(bench.Services.Site.Options.Guard.DelayMax);
            bench.Send("AQ==\r\n");
        }

        Assert.Single(bench.Log.Events.OfType<MailEvent.NetworkBanned>());
        Assert.StartsWith("454 ", bench.Send(Token("right")));
        Assert.Equal(20, _assertions.Judged);
        bench.Services.Site.Current.Identity.Guard.Unban(bench.Wire.Client);
        Assert.StartsWith("235 ", bench.Send(Token("right")));
    }

    [Fact]
    public void A_provider_that_is_away_counts_against_nobody()
    {
        _assertions.Tokens["right"] = "unavailable";
        using var bench = Bench();
        for (var i = 0; i < 40; i++)
        {
            Assert.StartsWith("454 ", bench.Send(Token("right")));
        }

        _assertions.Tokens["right"] = "jane@acme.test";
        Assert.StartsWith("235 ", bench.Send(Token("right")));
    }

    private static string Prove(SubmissionBench bench)
    {
        var challenge = Encoding.ASCII.GetString(Convert.FromBase64String(bench.Send(Scram)[4..].Trim()));
        var final = $"c=biws,{challenge.Split(',')[0]},p={Convert.ToBase64String(new byte[32])}";
        return bench.Send(Convert.ToBase64String(Encoding.ASCII.GetBytes(final)) + "\r\n");
    }

    private static string Token(string token) =>
        $"AUTH OAUTHBEARER {Convert.ToBase64String(Encoding.UTF8.GetBytes($"n,,\u0001auth=Bearer {token}\u0001\u0001"))}\r\n";

    private SubmissionBench Bench()
    {
        var bench = new SubmissionBench(
            directory: _directory, more: [_assertions], change: options => options with
            {
                Guard = new GuardOptions { Enabled = true },
                Limits = options.Limits with { Smtp = options.Limits.Smtp with { AuthFailures = 100, CommandsBeforeLogin = 1000, Errors = 1000 } },
            });
        bench.Send("EHLO laptop\r\n");
        return bench;
    }
}
