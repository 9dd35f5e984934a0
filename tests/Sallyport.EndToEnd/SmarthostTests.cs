using Sallyport.EndToEnd.Clients;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>A real Postfix with TLS and logins by a real Dovecot, and Sallyport that relays to it.</summary>
public sealed class RelayingPair : IAsyncLifetime
{
    internal const string RelayLogin = "relay";
    internal const string RelayPassword = "between the servers";
    private const string NoSuchUser = "{ { nobody@example.test = 550 5.1.1 no mailbox of this name here } }";

    private readonly TestFolder _folder = new();
    private DovecotAuth? _dovecot;

    internal Certificates Certificates { get; private set; } = null!;

    internal PostfixServer Postfix { get; private set; } = null!;

    internal SallyportServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Certificates = new Certificates(_folder);
        var (certificate, key) = Certificates.Issue("inner.test");
        Postfix = await PostfixServer.StartAsync(_folder, $"""
            smtpd_tls_security_level = encrypt
            smtpd_tls_cert_file = {certificate}
            smtpd_tls_key_file = {key}
            smtpd_tls_loglevel = 1
            smtpd_tls_received_header = yes
            smtpd_sasl_auth_enable = yes
            smtpd_relay_restrictions = permit_sasl_authenticated, reject
            smtpd_recipient_restrictions = check_recipient_access inline:{NoSuchUser}
            """);
        _dovecot = await DovecotAuth.StartAsync(_folder, Postfix.AuthSocket, RelayLogin, RelayPassword);
        Server = await SallyportServer.StartAsync(_ => Route("inner.test"));
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }

        if (Postfix is not null)
        {
            await Postfix.DisposeAsync();
        }

        if (_dovecot is not null)
        {
            await _dovecot.DisposeAsync();
        }

        _folder.Dispose();
    }

    internal string Route(string tlsName, string? ca = null, string password = RelayPassword) => $"""
        [[route]]
        recipients = ["*"]
        smarthost = "127.0.0.1:{Postfix.Port}"
        tls = "verify"
        tls_name = "{tlsName}"
        tls_ca = "{ca ?? Certificates.CaFile}"
        login = "{RelayLogin}"
        password_file = "{_folder.Write($"password-{password.Length}", password + "\n")}"
        """;
}

/// <summary>Relaying to a smarthost over real sockets.</summary>
public sealed class SmarthostTests(RelayingPair pair) : IClassFixture<RelayingPair>
{
    [Fact]
    public async Task A_text_arrives_at_Postfix_byte_for_byte() =>
        await SendAndCompareAsync(Message.Text(pair.Server.Folder, Token()));

    [Fact]
    public async Task An_attachment_arrives_at_Postfix_byte_for_byte() =>
        await SendAndCompareAsync(Message.Attachment(pair.Server.Folder, Token()));

    [Fact]
    public async Task An_internationalised_address_arrives_at_Postfix() =>
        await SendAndCompareAsync(Message.Utf8Address(pair.Server.Folder, Token()));

    [Fact]
    public async Task Thirty_megabytes_arrive_at_Postfix_byte_for_byte() =>
        await SendAndCompareAsync(Message.Big(pair.Server.Folder, Token()));

    [Fact]
    public async Task Postfix_saw_a_login_by_SCRAM_under_TLS()
    {
        await SendAndCompareAsync(Message.Text(pair.Server.Folder, Token()));
        Assert.Contains("sasl_method=SCRAM-SHA-256, sasl_username=relay", pair.Postfix.Log);
        Assert.Contains("TLS connection established from localhost[127.0.0.1]: TLSv1.3", pair.Postfix.Log);
    }

    [Fact]
    public async Task A_recipient_Postfix_refuses_comes_back_as_a_bounce_that_explains_itself()
    {
        var message = Message.Text(pair.Server.Folder, Token()) with { To = "nobody@example.test" };
        await SendAsync(pair.Server, message);
        string? bounce = null;
        await Tool.UntilAsync(
            () => (bounce = pair.Postfix.Delivered().Select(File.ReadAllText).FirstOrDefault(text =>
                text.Contains("multipart/report", StringComparison.Ordinal) && text.Contains(message.Token, StringComparison.Ordinal))) is not null,
            "the bounce", TimeSpan.FromSeconds(60), () => pair.Server.Log);
        Assert.Contains("X-Original-To: jane@acme.test", bounce);
        Assert.Contains("Return-Path: <>", bounce);
        Assert.Contains("Final-Recipient: rfc822; nobody@example.test", bounce);
        Assert.Contains("Action: failed", bounce);
        Assert.Contains("Status: 5.1.1", bounce);
        Assert.Contains("no mailbox of this name here", bounce);
        Assert.Contains("please check how it is written", bounce);
    }

    [Theory]
    [InlineData("other.test", false, null, "its certificate is not for other.test")]
    [InlineData("inner.test", true, null, "not from an authority trusted here")]
    [InlineData("inner.test", false, "another password", "did not accept the login relay of this route: 535")]
    public async Task What_the_route_demands_is_never_given_up(string tlsName, bool otherCa, string? password, string why)
    {
        using var folder = new TestFolder();
        var ca = otherCa ? new Certificates(folder).CaFile : null;
        await using var server = await SallyportServer.StartAsync(_ => pair.Route(tlsName, ca, password ?? RelayingPair.RelayPassword));
        var message = Message.Text(server.Folder, Token());
        await SendAsync(server, message);
        await Tool.UntilAsync(
            () => server.Log.Contains(" deferred for <bob@example.test>", StringComparison.Ordinal), "the deferral", null, () => server.Log);
        var queue = await server.CommandAsync(["queue", "list", "--json"]);
        Assert.Contains(why, queue.Output);
        Assert.DoesNotContain(pair.Postfix.Delivered(), file => File.ReadAllText(file).Contains(message.Token));
        Assert.DoesNotContain("another password", server.Log + queue.All);
    }

    private static string Token() => "t" + Guid.NewGuid().ToString("N");

    private static Task SendAsync(SallyportServer server, Message message) =>
        MailClients.All["MailKit"].SendAsync(Target.Of(server, implicitTls: true), "SCRAM-SHA-256", message);

    private async Task SendAndCompareAsync(Message message)
    {
        await SendAsync(pair.Server, message);
        var file = await pair.Postfix.DeliveredContainingAsync(message.Token, () => pair.Server.Log);
        Assert.Equal(message.BodyDigest, Message.DigestOfKept(file));
        var header = Message.HeaderOfKept(file);
        Assert.Contains("by msa.test (Sallyport) with ", header);
        Assert.Contains($"Subject: test {message.Token}", header);
        Assert.Contains($"From: Jane Doe <{message.From}>", header);
    }
}
