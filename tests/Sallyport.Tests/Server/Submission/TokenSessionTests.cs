using System.Text;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>Logins by token and by certificate as the driver carries them, and what the log says of them.</summary>
public sealed class TokenSessionTests
{
    private const string Token = "right.token";

    [Fact]
    public void A_refused_token_is_logged_once_with_its_reason_also_when_the_client_just_leaves()
    {
        using var bench = Bench();
        bench.Send("EHLO laptop\r\n");
        Assert.StartsWith("334 ", bench.Send(Auth("wrong.token")));
        var failed = Assert.Single(bench.Log.Events.OfType<MailEvent.LoginFailed>());
        Assert.Equal(("token: it is wrong", SaslServer.OAuthBearer), (failed.Why, failed.Mechanism));
        Assert.StartsWith("535 ", bench.Send("AQ==\r\n"));
        Assert.Single(bench.Log.Events.OfType<MailEvent.LoginFailed>());
        Assert.DoesNotContain(bench.Log.Events, e => e.ToString().Contains("wrong.token", StringComparison.Ordinal));
    }

    [Fact]
    public void What_can_be_no_token_is_logged_as_that()
    {
        using var bench = Bench();
        bench.Send("EHLO laptop\r\n");
        bench.Send(Auth("right token"));
        Assert.Equal("what was sent can be no token", Assert.Single(bench.Log.Events.OfType<MailEvent.LoginFailed>()).Why);
    }

    [Fact]
    public void Who_was_vouched_for_and_looked_up_elsewhere_is_asked_for_again_by_the_same_name()
    {
        var people = new ScriptedDirectory { Answers = new() { ["jane@acme.test"] = "ok" } };
        using var bench = Bench(people, "local");
        bench.Send("EHLO laptop\r\n");
        Assert.StartsWith("235 ", bench.Send(Auth(Token)));
        bench.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.StartsWith("250 ", bench.Send("MAIL FROM:<jane@acme.test>\r\n"));
        people.Answers["jane@acme.test"] = "disabled";
        bench.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.DoesNotContain("250 ", bench.Send("RSET\r\n", "MAIL FROM:<jane@acme.test>\r\n"));
    }

    private static string Auth(string token) =>
        $"AUTH OAUTHBEARER {Convert.ToBase64String(Encoding.UTF8.GetBytes($"n,,\u0001auth=Bearer {token}\u0001\u0001"))}\r\n";

    private static SubmissionBench Bench(ScriptedDirectory? people = null, string? lookUpIn = null) => new(
        ListenerTls.Implicit, directory: people,
        more: [new ScriptedAssertions { LookUpIn = lookUpIn, Tokens = new() { [Token] = "jane@acme.test" } }]);
}
