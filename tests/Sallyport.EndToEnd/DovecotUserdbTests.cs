using System.Text;
using MailKit.Net.Smtp;
using MailKit.Security;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>Who exists and what is known of them, from a real Dovecot's userdb socket.</summary>
public sealed class DovecotUserdbTests : IAsyncLifetime
{
    private DovecotServer _dovecot = null!;
    private SallyportServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await SallyportServer.StartAsync(
        prepare: async server =>
        {
            _dovecot = await DovecotServer.StartAsync(server.Folder, server.Certificates,
                fields: "acl_groups=Sales sallyport_addresses=%n.extra@acme.test");
            return $"""
                {_dovecot.Directory("unix", $"userdb = \"{_dovecot.UserSocket}\"")}
                [[grant]]
                to = ["group:Sales"]
                as = ["sales@acme.test"]
                """;
        });

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _dovecot.DisposeAsync();
    }

    [Fact]
    public async Task Grants_groups_and_explanations_come_from_the_userdb_and_who_is_unknown_or_disabled_is_nobody()
    {
        var of = await _server.CommandAsync(["grants", "of", "anna@acme.test"]);
        Assert.True(of.ExitCode == 0, of.All);
        Assert.Contains("Groups     Sales", of.Output, StringComparison.Ordinal);
        Assert.Contains("anna.extra@acme.test", of.Output, StringComparison.Ordinal);
        Assert.Contains("sales@acme.test", of.Output, StringComparison.Ordinal);
        Assert.Contains("Login      dora@acme.test, of directory dovecot", (await _server.CommandAsync(["grants", "of", "dora"])).Output);
        Assert.Equal(0, (await ExplainAsync("anna@acme.test", "sales@acme.test")).ExitCode);
        Assert.Equal(1, (await ExplainAsync("anna@acme.test", "bertil@acme.test")).ExitCode);
        Assert.Equal(1, (await ExplainAsync("nobody@acme.test", "sales@acme.test")).ExitCode);
        Assert.Equal(1, (await ExplainAsync("disabled@acme.test", "sales@acme.test")).ExitCode);
        Assert.Contains("answers who exists", (await _server.CommandAsync(["doctor"])).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    public async Task A_login_by_password_or_SCRAM_sends_as_what_its_group_may(string mechanism)
    {
        using var client = new SmtpClient { ServerCertificateValidationCallback = static (_, _, _, _) => true };
        await client.ConnectAsync("127.0.0.1", _server.ImplicitTlsPort, SecureSocketOptions.SslOnConnect, TestContext.Current.CancellationToken);
        var password = DovecotServer.Passwords["anna@acme.test"];
        SaslMechanism how = mechanism == "PLAIN" ? new SaslMechanismPlain(Encoding.UTF8, "anna@acme.test", password)
            : new SaslMechanismScramSha256("anna@acme.test", password);
        await client.AuthenticateAsync(how, TestContext.Current.CancellationToken);
        var token = Guid.NewGuid().ToString("N");
        using var message = new MimeKit.MimeMessage
        {
            From = { new MimeKit.MailboxAddress("", "sales@acme.test") },
            To = { new MimeKit.MailboxAddress("", "bob@example.test") },
            Subject = token,
            Body = new MimeKit.TextPart { Text = "offer" },
        };
        await client.SendAsync(message, TestContext.Current.CancellationToken);
        await _server.CapturedContainingAsync(token);
    }

    [Fact]
    public async Task While_Dovecot_is_away_nobody_is_looked_up_and_nobody_refused_for_good()
    {
        await _dovecot.StopAsync();
        var of = await _server.CommandAsync(["grants", "of", "anna@acme.test"]);
        Assert.Equal(1, of.ExitCode);
        Assert.Contains("dovecot", of.Error, StringComparison.Ordinal);
        await _dovecot.RunAsync();
        await Tool.UntilAsync(
            () => _server.CommandAsync(["grants", "of", "anna@acme.test"]).GetAwaiter().GetResult().ExitCode == 0, "dovecot is found again");
    }

    private Task<ToolResult> ExplainAsync(string login, string from) =>
        _server.CommandAsync(["explain", "--login", login, "--from", from, "--to", "bob@example.test"]);
}
