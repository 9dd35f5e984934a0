using System.Text;
using System.Text.Json;
using Sallyport.EndToEnd.Clients;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>One password a device, with the published binary, real clients and a real directory behind it.</summary>
public sealed class AppPasswordTests
{
    private const string Mail = "MAIL FROM:<jane@acme.test>";

    [Theory]
    [InlineData("swaks", "PLAIN")]
    [InlineData("swaks", "LOGIN")]
    [InlineData("MailKit", "PLAIN")]
    [InlineData("MailKit", "LOGIN")]
    [InlineData("MailKit", "SCRAM-SHA-256")]
    [InlineData("MailKit", "SCRAM-SHA-256-PLUS")]
    public async Task Real_clients_send_with_the_app_password_of_a_local_login(string client, string mechanism)
    {
        await using var server = await SallyportServer.StartAsync();
        var (id, secret) = await MakeAsync(server, SallyportServer.Login, "--label", "laptop", "--network", "127.0.0.0/8");
        var token = $"{client}-{mechanism}".ToLowerInvariant();
        var message = Message.Text(server.Folder, token);
        await MailClients.All[client].SendAsync(Target.Of(server, implicitTls: true) with { Password = secret }, mechanism, message);
        await server.CapturedContainingAsync(token);
        await server.LoggedAsync($"({mechanism}, local, app password \"laptop\")");
        Assert.DoesNotContain(secret, server.Log);
        var listed = (await ListAsync(server))[0];
        Assert.Equal((id, "laptop", "127.0.0.1"), (listed.GetProperty("id").GetString(), listed.GetProperty("label").GetString(),
            listed.GetProperty("last_used_from").GetString()));
    }

    [Fact]
    public async Task It_works_by_every_name_of_a_login_of_slapd_which_never_sees_it_and_has_the_last_word()
    {
        await using var site = await LdapSite.OpenLdapAsync(OpenLdap);
        var (_, secret) = await MakeAsync(site.Sallyport, "jane.doe@acme.test", "--label", "phone");
        Assert.StartsWith("235", await site.LogInAsync("jane", secret));
        Assert.StartsWith("235", await site.LogInAsync("jane.doe@acme.test", secret.ToUpperInvariant()));
        Assert.StartsWith("535", await site.LogInAsync("lockme", secret));
        await site.Sallyport.LoggedAsync("(PLAIN, site, app password \"phone\")");
        await site.Sallyport.LoggedAsync("is jane's");

        // slapd locks lockme after three wrong passwords; a revoked app password is none to it.
        var (id, lost) = await MakeAsync(site.Sallyport, "lockme", "--label", "lost");
        Assert.Equal(0, (await site.Sallyport.CommandAsync(["app-password", "revoke", "lockme", id])).ExitCode);
        for (var i = 0; i < 5; i++)
        {
            Assert.StartsWith("535", await site.LogInAsync("lockme", lost));
        }

        Assert.StartsWith("235", await site.LogInAsync("lockme", LdapTrees.Password));
        await site.Servers[0].StopAsync();
        Assert.StartsWith("454", await site.LogInAsync("jane", secret));
    }

    [Fact]
    public async Task Once_revoked_it_ends_the_session_under_way_at_its_next_message()
    {
        await using var server = await SallyportServer.StartAsync();
        var (id, secret) = await MakeAsync(server, SallyportServer.Login, "--label", "phone");
        var (session, reply) = await LogInAsync(server, secret);
        await using (session)
        {
            Assert.StartsWith("235", reply);
            Assert.StartsWith("250", await session.SayAsync(Mail));
            Assert.StartsWith("250", await session.SayAsync("RSET"));
            var revoked = await server.CommandAsync(["app-password", "revoke", SallyportServer.Login, id]);
            Assert.Contains($"app password \"phone\" ({id}) of jane@acme.test is revoked", revoked.Output);
            Assert.StartsWith("550 5.7.13", await session.SayAsync(Mail));
        }

        await AssertRefusedAsync(server, secret, "an app password that was revoked");
        await server.LoggedAsync("jane@acme.test: its app password was revoked");
    }

    [Fact]
    public async Task It_is_refused_elsewhere_later_and_for_other_senders()
    {
        await using var server = await SallyportServer.StartAsync();
        var (_, secret) = await MakeAsync(
            server, SallyportServer.Login, "--label", "printer", "--network", "127.0.0.2", "--sender", "jane@example.test");
        await AssertRefusedAsync(server, secret, "is not for 127.0.0.1, only for 127.0.0.2/32");
        var (session, reply) = await LogInAsync(server, secret, "127.0.0.2");
        await using (session)
        {
            Assert.StartsWith("235", reply);
            Assert.StartsWith("553 5.7.1 jane@acme.test in MAIL FROM is not an address of login jane@acme.test; it may use jane@example.test",
                await session.SayAsync(Mail));
            Assert.StartsWith("250", await session.SayAsync("MAIL FROM:<jane@example.test>"));
        }

        var (_, brief) = await MakeAsync(server, SallyportServer.Login, "--label", "brief", "--expires", "1s");
        var end = (await ListAsync(server)).EnumerateArray().Single(one => one.GetProperty("label").GetString() == "brief")
            .GetProperty("expires_at").GetDateTimeOffset();
        await Tool.UntilAsync(() => DateTimeOffset.UtcNow > end, "the second is over");
        await AssertRefusedAsync(server, brief, "app password \"brief\"");
        await server.LoggedAsync("expired on");
        var stranger = await server.CommandAsync(["app-password", "add", SallyportServer.Login, "--label", "x", "--sender", "boss@acme.test"]);
        Assert.Equal(1, stranger.ExitCode);
        Assert.Contains("jane@acme.test may not send as boss@acme.test", stranger.All);
    }

    [Fact]
    public async Task Where_it_is_required_the_logins_own_password_is_refused_and_a_restart_forgets_nothing()
    {
        await using var server = await SallyportServer.StartAsync(more: "[app_passwords]\nrequired = true\nper_login = 1");
        await AssertRefusedAsync(server, SallyportServer.Password, "app_passwords.required asks for an app password");
        var (_, secret) = await MakeAsync(server, SallyportServer.Login, "--label", "phone");
        var more = await server.CommandAsync(["app-password", "add", SallyportServer.Login, "--label", "tablet"]);
        Assert.Contains("app_passwords.per_login = 1", more.All);
        server.Kill();
        await server.RunAsync();
        var (session, reply) = await LogInAsync(server, secret);
        await session.DisposeAsync();
        Assert.StartsWith("235", reply);
        var trial = await server.CommandAsync(["auth-test", SallyportServer.Login], secret + "\n");
        Assert.Contains("it is app password \"phone\"", trial.Output);
        var own = await server.CommandAsync(["auth-test", SallyportServer.Login], SallyportServer.Password + "\n");
        Assert.Equal(1, own.ExitCode);
        Assert.Contains("it needs an app password", own.Output);
        var explained = await server.CommandAsync(
            ["explain", "--login", SallyportServer.Login, "--from", "jane@acme.test", "--to", "bob@example.test"]);
        Assert.Contains("its own password is refused (app_passwords.required)", explained.Output);
    }

    private static string OpenLdap(LdapSite site) => $"""
        preset = "openldap"
        url = "{site.Servers[0].TlsUrl}"
        tls_ca = "{site.CaFile}"
        base = "dc=acme,dc=test"
        """;

    private static async Task<(string Id, string Secret)> MakeAsync(SallyportServer server, string login, params string[] options)
    {
        var made = await server.CommandAsync(["app-password", "add", login, .. options, "--json"]);
        Assert.True(made.ExitCode == 0, made.All);
        var json = JsonDocument.Parse(made.Output).RootElement;
        return (json.GetProperty("id").GetString()!, json.GetProperty("secret").GetString()!);
    }

    private static async Task<JsonElement> ListAsync(SallyportServer server) =>
        JsonDocument.Parse((await server.CommandAsync(["app-password", "list", SallyportServer.Login, "--json"])).Output).RootElement;

    private static async Task AssertRefusedAsync(SallyportServer server, string secret, string logged)
    {
        var (session, reply) = await LogInAsync(server, secret);
        await session.DisposeAsync();
        Assert.Equal("535 5.7.8 Authentication credentials invalid", reply);
        await Tool.UntilAsync(() => server.Log.Contains(logged, StringComparison.Ordinal), "the reason in the log", null, () => server.Log);
    }

    private static async Task<(RawSession Session, string Reply)> LogInAsync(SallyportServer server, string secret, string from = "127.0.0.1")
    {
        var (session, _) = await RawSession.OpenAsync(server.ImplicitTlsPort, tls: true, from);
        await session.SayAsync("EHLO client.test");
        var reply = await session.SayAsync(
            "AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{SallyportServer.Login}\0{secret}")));
        return (session, reply);
    }
}
