using System.Text;
using Sallyport.EndToEnd.Clients;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>A server that takes the tokens of an OpenID provider.</summary>
public sealed class TokenServer : IAsyncLifetime
{
    internal OidcProvider Provider { get; private set; } = null!;

    internal SallyportServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Provider = await OidcProvider.StartAsync();
        Server = await SallyportServer.StartAsync(more: TokenTests.Directory(Provider));
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
        {
            await Server.DisposeAsync();
        }

        if (Provider is not null)
        {
            await Provider.DisposeAsync();
        }
    }
}

/// <summary>Real clients log in with real tokens of npm's oidc-provider.</summary>
public sealed class TokenTests(TokenServer fixture) : IClassFixture<TokenServer>
{
    public static string Directory(object provider) => $"""
        [[directory]]
        type = "oidc"
        name = "acme-id"
        issuer = "{((OidcProvider)provider).Issuer}"
        audience = "sallyport"
        scope = "smtp"
        keys_refresh_min = "1s"
        """;

    public static TheoryData<string, string, bool> Clients() => new()
    {
        { "curl", "OAUTHBEARER", true },
        { "curl", "OAUTHBEARER", false },
        { "MailKit", "OAUTHBEARER", true },
        { "MailKit", "XOAUTH2", false },
        { "msmtp", "OAUTHBEARER", false },
        { "msmtp", "XOAUTH2", true },
        { "nodemailer", "XOAUTH2", true },
        { "nodemailer", "XOAUTH2", false },
        { "smtplib", "XOAUTH2", false },
    };

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_client_logs_in_with_a_token_and_sends(string client, string mechanism, bool implicitTls)
    {
        var target = Target.Of(fixture.Server, implicitTls) with { Password = await fixture.Provider.TokenAsync() };
        var message = Message.Text(fixture.Server.Folder, Name());
        await MailClients.All[client].SendAsync(target, mechanism, message);
        Assert.Equal(message.BodyDigest, Message.DigestOfKept(await fixture.Server.CapturedContainingAsync(message.Token)));
        Assert.DoesNotContain(target.Password, fixture.Server.Log);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_client_with_a_token_for_another_service_is_refused(string client, string mechanism, bool implicitTls)
    {
        var target = Target.Of(fixture.Server, implicitTls) with { Password = await fixture.Provider.TokenAsync(resource: "urn:other") };
        var message = Message.Text(fixture.Server.Folder, Name());
        await Assert.ThrowsAnyAsync<Exception>(() => MailClients.All[client].SendAsync(target, mechanism, message));
        await Tool.UntilAsync(() => fixture.Server.Log.Contains(
            $"token: audience: other, not sallyport ({mechanism})", StringComparison.Ordinal), "the log says why");
        Assert.DoesNotContain(target.Password, fixture.Server.Log);
    }

    [Fact]
    public async Task A_refusal_is_JSON_first_and_535_after_it()
    {
        var good = await fixture.Provider.TokenAsync();
        string[] wrong =
        [
            await fixture.Provider.TokenAsync("bob"), // not verified
            await fixture.Provider.TokenAsync(scope: "read"),
            await fixture.Provider.TokenAsync(resource: "urn:opaque"),
            good[..^8] + "AAAAAAAA",
            "x",
        ];
        foreach (var token in wrong)
        {
            var (session, _) = await RawSession.OpenAsync(fixture.Server.ImplicitTlsPort, tls: true);
            await using var closing = session;
            Assert.Contains("AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN", await session.SayAsync("EHLO client.test"));
            var reply = await session.SayAsync("AUTH OAUTHBEARER " + Base64($"n,,\u0001auth=Bearer {token}\u0001\u0001"));
            Assert.StartsWith("334 ", reply);
            var json = Encoding.UTF8.GetString(Convert.FromBase64String(reply[4..]));
            var discovery = fixture.Provider.Issuer + "/.well-known/openid-configuration";
            Assert.Equal($$"""{"status":"invalid_token","scope":"smtp","openid-configuration":"{{discovery}}"}""", json);
            Assert.StartsWith("535 5.7.8", await session.SayAsync("AQ=="));
            Assert.StartsWith("334 ", await session.SayAsync("AUTH XOAUTH2 " + Base64($"user=boss@acme.test\u0001auth=Bearer {good}\u0001\u0001")));
            Assert.StartsWith("535 5.7.8", await session.SayAsync(""));
            var right = Base64($"n,a=jane@acme.test,\u0001auth=Bearer {good}\u0001\u0001");
            Assert.StartsWith("235", await session.SayAsync("AUTH OAUTHBEARER " + right));
        }
    }

    [Fact]
    public async Task The_key_changes_and_the_issuer_goes_away()
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await SallyportServer.StartAsync(more: Directory(provider));
        var old = await provider.TokenAsync();
        Assert.StartsWith("235", await LoginAsync(server, old));
        await provider.RotateAsync();
        var fresh = await provider.TokenAsync();
        await Tool.UntilAsync(
            () => LoginAsync(server, fresh).GetAwaiter().GetResult().StartsWith("235", StringComparison.Ordinal), "the new key is known");
        Assert.StartsWith("334", await LoginAsync(server, old)); // its key is gone
        await provider.StopAsync();
        Assert.StartsWith("235", await LoginAsync(server, fresh)); // judged by the keys at hand
        Assert.DoesNotContain(fresh, server.Log);
    }

    [Fact]
    public async Task Introspection_judges_tokens_that_say_nothing_themselves_and_454_when_the_issuer_is_away()
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await SallyportServer.StartAsync(within: SecretIn(out var folder), more: $"""
            [[directory]]
            type = "oidc"
            issuer = "{provider.Issuer}"
            judge = "introspection"
            client_id = "sallyport"
            client_secret_file = "{folder.Of("secret")}"
            audience = "sallyport"
            scope = "smtp"
            """);
        var token = await provider.TokenAsync(resource: "urn:opaque");
        Assert.DoesNotContain('.', token);
        Assert.StartsWith("235", await LoginAsync(server, token));
        Assert.StartsWith("334", await LoginAsync(server, token[..^1]));
        var other = await provider.TokenAsync(resource: "urn:opaque");
        await provider.StopAsync();
        Assert.StartsWith("235", await LoginAsync(server, token)); // remembered for a minute
        Assert.StartsWith("454", await LoginAsync(server, other));
    }

    [Fact]
    public async Task The_operator_sees_each_check_and_never_the_token()
    {
        var token = await fixture.Provider.TokenAsync();
        var right = await fixture.Server.CommandAsync(["auth-test", "--token"], token + "\n");
        Assert.Equal(0, right.ExitCode);
        foreach (var check in (string[])["issuer", "audience", "expires", "scope", "login", "signature", "it is jane@acme.test's"])
        {
            Assert.Contains(check, right.Output);
        }

        var wrong = await fixture.Server.CommandAsync(["auth-test", "boss@acme.test", "--token", "--json"], token + "\n");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("the client says boss@acme.test, the token is for jane@acme.test", wrong.Output);
        Assert.All(token.Split('.'), part => Assert.DoesNotContain(part, right.All + wrong.All));
        Assert.Equal(2, (await fixture.Server.CommandAsync(["auth-test"], "x\n")).ExitCode);
        var doctor = await fixture.Server.CommandAsync(["doctor"]);
        Assert.Contains($"{fixture.Provider.Issuer} answers; 1 keys: RSA key-1", doctor.Output);
    }

    private static TestFolder SecretIn(out TestFolder folder)
    {
        folder = new TestFolder();
        folder.Write("secret", "sallyport-secret\n");
        return folder;
    }

    private static async Task<string> LoginAsync(SallyportServer server, string token)
    {
        var (session, _) = await RawSession.OpenAsync(server.ImplicitTlsPort, tls: true);
        await using var closing = session;
        await session.SayAsync("EHLO client.test");
        return await session.SayAsync("AUTH OAUTHBEARER " + Base64($"n,a=jane@acme.test,\u0001auth=Bearer {token}\u0001\u0001"));
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Name() => "t" + Guid.NewGuid().ToString("N");
}
