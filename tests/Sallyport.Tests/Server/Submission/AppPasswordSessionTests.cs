using System.Text;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>What a session that began with an app password may do, and what the log says of it.</summary>
public sealed class AppPasswordSessionTests
{
    private const string Mail = "MAIL FROM:<jane@acme.test>\r\n";

    [Fact]
    public async Task Its_login_is_logged_with_its_label_and_it_sends_only_as_it_may()
    {
        using var bench = new SubmissionBench(
            change: options => options with { SenderModes = [new SenderModeOptions(["*"], SenderMode.Log)] });
        await LogInAsync(bench, "*@acme.test", "info@acme.test", "jane+printer@acme.test");
        var login = bench.Log.Events.OfType<MailEvent.LoginSucceeded>().Single();
        Assert.Equal(("jane@acme.test", "printer"), (login.Login, login.AppPassword));
        Assert.EndsWith("(PLAIN, local, app password \"printer\")", new HumanFormatter().Format(login, default), StringComparison.Ordinal);
        Assert.Contains("\"app_password\":\"printer\"", new JsonFormatter().Format(login, default), StringComparison.Ordinal);
        Assert.StartsWith("250 ", bench.Send(Mail));
        bench.Send("RSET\r\n");
        Assert.StartsWith("553 5.7.1 boss@other.test in MAIL FROM is not an address of login jane@acme.test; it may use jane@acme.test",
            bench.Send("MAIL FROM:<boss@other.test>\r\n"));
    }

    [Fact]
    public async Task One_for_some_senders_is_refused_the_logins_others()
    {
        using var bench = new SubmissionBench();
        await LogInAsync(bench, "jane+printer@acme.test");
        Assert.StartsWith("553 5.7.1 jane@acme.test in MAIL FROM is not an address of login jane@acme.test; it may use jane+printer@acme.test",
            bench.Send(Mail));
        Assert.StartsWith("250 ", bench.Send("MAIL FROM:<jane+printer@acme.test>\r\n"));
    }

    [Fact]
    public async Task Once_it_is_revoked_the_next_message_of_a_session_under_way_is_refused_at_once()
    {
        using var bench = new SubmissionBench();
        var id = await LogInAsync(bench);
        Assert.StartsWith("250 ", bench.Send(Mail, "RSET\r\n", Mail));
        await bench.Services.Site.Current.Identity.AppPasswords.Book.RevokeAsync("jane@acme.test", id, TestContext.Current.CancellationToken);
        bench.Send("RSET\r\n");
        Assert.Equal("550 5.7.13 The account may no longer send, closing the connection\r\n", bench.Send(Mail));
        Assert.True(bench.IsClosed);
        Assert.Equal("jane@acme.test: its app password was revoked", bench.Log.Events.OfType<MailEvent.Refused>().Single().Subject);
    }

    [Fact]
    public async Task A_refusal_is_the_ordinary_one_to_the_client_and_names_the_device_in_the_log()
    {
        using var bench = new SubmissionBench();
        var (password, secret) = await MakeAsync(bench, System.Net.IPNetwork.Parse("203.0.113.0/24"));
        bench.Send("EHLO laptop\r\n");
        Assert.Equal("535 5.7.8 Authentication credentials invalid\r\n", bench.Send(Auth(secret)));
        var failed = bench.Log.Events.OfType<MailEvent.LoginFailed>().Single();
        Assert.Equal($"app password \"printer\" ({password.Id}) of jane@acme.test is not for 192.0.2.7, only for 203.0.113.0/24", failed.Why);
        Assert.Equal("jane@acme.test", failed.Typed);
    }

    private static async Task<string> LogInAsync(SubmissionBench bench, params string[] senders)
    {
        var (password, secret) = await MakeAsync(bench, null, senders);
        bench.Send("EHLO laptop\r\n");
        Assert.StartsWith("235 ", bench.Send(Auth(secret)));
        return password.Id;
    }

    private static async Task<(AppPassword Password, string Secret)> MakeAsync(
        SubmissionBench bench, System.Net.IPNetwork? network, params string[] senders)
    {
        var book = bench.Services.Site.Current.Identity.AppPasswords.Book;
        var secret = AppPasswordText.Draw();
        var password = new AppPassword("jane@acme.test", book.NewId(), "printer", bench.Clock.GetUtcNow(), null)
        {
            Networks = network is { } one ? [one] : [],
            Senders = [.. senders.Select(SenderPattern.Parse).OfType<SenderPattern>()],
            Digest = book.Digest(secret),
        };
        Assert.True(await book.AddAsync(password, 20, bench.Clock.GetUtcNow(), default));
        return (password, AppPasswordText.Show(secret));
    }

    private static string Auth(string secret) =>
        $"AUTH PLAIN {Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0jane@acme.test\0{secret}"))}\r\n";
}
