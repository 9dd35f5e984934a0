using System.Text;
using System.Text.Json;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>Who may send as whom, by the groups and attributes of a real slapd and by command, as a next hop sees it.</summary>
public sealed class GrantTests : IAsyncLifetime
{
    private const string Grants = """
        [[grant]]
        to = ["group:cn=senders,dc=acme,dc=test"]
        as = ["sales@acme.test", "offer-*@acme.test"]
        """;

    private readonly Sink _sink = Sink.Started();
    private Slapd _slapd = null!;
    private SallyportServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await SallyportServer.StartAsync(
        _ => $"""
            [limits]
            max_policy_refusals = 100000
            [[route]]
            recipients = ["*"]
            smarthost = "127.0.0.1:{_sink.Port}"
            tls = "none"
            """,
        prepare: async server =>
        {
            _slapd = await Slapd.StartAsync(
                server.Folder, server.Certificates, "slapd", LdapTrees.OpenLdap, LdapTrees.OpenLdapPeople + "\n" + People);
            return $"""
                [[directory]]
                name = "site"
                type = "ldap"
                preset = "openldap"
                url = "{_slapd.TlsUrl}"
                tls_ca = "{server.Certificates.CaFile}"
                base = "dc=acme,dc=test"
                [[directory]]
                type = "local"
                [[sender]]
                for = ["group:cn=devices,dc=acme,dc=test"]
                mode = "rewrite"
                [[sender]]
                for = ["group:cn=trusted,dc=acme,dc=test"]
                mode = "log"
                {Grants}
                """;
        });

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _slapd.DisposeAsync();
        await _sink.DisposeAsync();
    }

    [Fact]
    public async Task A_group_of_the_directory_and_an_alias_in_it_grant_senders_and_nobody_else_has_them()
    {
        await using var jane = await LogInAsync("jane");
        Assert.StartsWith("250", await SubmitAsync(jane, "jane.doe@acme.test"));
        Assert.StartsWith("250", await SubmitAsync(jane, "sales@acme.test"));
        Assert.StartsWith("250", await SubmitAsync(jane, "offer-7@acme.test"));
        Assert.StartsWith("553", await SubmitAsync(jane, "lockme@acme.test"));
        Assert.StartsWith("550", await SubmitAsync(jane, "sales@acme.test", author: "lockme@acme.test"));
        await using var other = await LogInAsync("lockme");
        Assert.StartsWith("553", await SubmitAsync(other, "sales@acme.test"));
        await Tool.UntilAsync(() => _sink.Messages.Count == 3, "three messages at the sink");
        Assert.Equal(["jane.doe@acme.test", "offer-7@acme.test", "sales@acme.test"], _sink.Messages.Select(one => one.From).Order());
    }

    [Fact]
    public async Task A_grant_by_command_holds_for_who_is_logged_in_and_for_what_the_delegators_directory_says()
    {
        await using var jane = await LogInAsync("jane");
        Assert.StartsWith("553", await SubmitAsync(jane, "lockme@acme.test"));
        var added = await _server.CommandAsync(["grants", "add", "--to", "jane", "--as", "login:lockme"]);
        Assert.True(added.ExitCode == 0, added.All);
        await UntilAnsweredAsync(jane, "lockme@acme.test", "250");
        Assert.StartsWith("250", await SubmitAsync(jane, "lockme@acme.test"));

        var of = JsonDocument.Parse((await _server.CommandAsync(["grants", "of", "jane", "--json"])).Output).RootElement;
        Assert.Contains(of.GetProperty("rights").EnumerateArray(), right => right.GetProperty("sender").GetString() == "lockme@acme.test"
            && right.GetProperty("source").GetString()!.Contains("command", StringComparison.Ordinal));
        var who = JsonDocument.Parse((await _server.CommandAsync(["grants", "who-may-send-as", "sales@acme.test", "--json"])).Output).RootElement;
        Assert.Equal("group:cn=senders,dc=acme,dc=test", Assert.Single(who.GetProperty("who").EnumerateArray()).GetProperty("login").GetString());

        Assert.Equal(0, (await _server.CommandAsync(["grants", "remove", "--to", "jane", "--as", "login:lockme"])).ExitCode);
        await UntilAnsweredAsync(jane, "lockme@acme.test", "553");
    }

    [Fact]
    public async Task A_device_has_its_own_address_put_in_and_named_as_Sender_and_the_trusted_are_only_logged()
    {
        await using (var scanner = await LogInAsync("scanner"))
        {
            Assert.StartsWith("250", await SubmitAsync(scanner, "boss@acme.test"));
            Assert.StartsWith("250", await SubmitAsync(scanner, "scanner@acme.test"));
        }

        await using (var shop = await LogInAsync("shop"))
        {
            Assert.StartsWith("250", await SubmitAsync(shop, "anybody@elsewhere.test"));
        }

        await Tool.UntilAsync(() => _sink.Messages.Count == 3, "three messages at the sink");
        var rewritten = _sink.Messages.Single(one => one.Header("From").Contains("boss@", StringComparison.Ordinal));
        Assert.Equal("scanner@acme.test", rewritten.From);
        Assert.Contains("scanner@acme.test", rewritten.Header("Sender"), StringComparison.Ordinal);
        var own = _sink.Messages.Single(one => one.Header("From").Contains("scanner@", StringComparison.Ordinal));
        Assert.Equal(("scanner@acme.test", ""), (own.From, own.Header("Sender")));
        var passed = _sink.Messages.Single(one => one.Header("From").Contains("anybody@", StringComparison.Ordinal));
        Assert.Equal(("anybody@elsewhere.test", ""), (passed.From, passed.Header("Sender")));
        Assert.Contains(_server.Log.Split('\n'), line => line.Contains("boss@acme.test", StringComparison.Ordinal));
        Assert.Contains(_server.Log.Split('\n'), line => line.Contains("anybody@elsewhere.test", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_configuration_read_again_gives_the_next_session_the_new_grants()
    {
        await using (var before = await LogInAsync("jane"))
        {
            Assert.StartsWith("553", await SubmitAsync(before, "press@acme.test"));
        }

        var text = await File.ReadAllTextAsync(_server.ConfigFile, TestContext.Current.CancellationToken);
        text = text.Replace("\"sales@acme.test\"", "\"press@acme.test\"", StringComparison.Ordinal);
        await File.WriteAllTextAsync(_server.ConfigFile, text, TestContext.Current.CancellationToken);
        await _server.SignalAsync("HUP");
        await Tool.UntilAsync(() => _server.Log.Contains("read again", StringComparison.Ordinal), "the configuration is read again");
        await using var after = await LogInAsync("jane");
        Assert.StartsWith("250", await SubmitAsync(after, "press@acme.test"));
        Assert.StartsWith("553", await SubmitAsync(after, "sales@acme.test"));
    }

    private static string People => $"""
        {Person("scanner")}
        {Person("shop")}
        dn: cn=devices,dc=acme,dc=test
        objectClass: groupOfNames
        cn: devices
        member: uid=scanner,ou=people,dc=acme,dc=test

        dn: cn=trusted,dc=acme,dc=test
        objectClass: groupOfNames
        cn: trusted
        member: uid=shop,ou=people,dc=acme,dc=test

        """;

    private static string Person(string uid) => $"""
        dn: uid={uid},ou=people,dc=acme,dc=test
        objectClass: inetOrgPerson
        cn: {uid}
        sn: {uid}
        uid: {uid}
        mail: {uid}@acme.test
        userPassword: {LdapTrees.Password}

        """;

    private async Task<RawSession> LogInAsync(string login)
    {
        var (session, _) = await RawSession.OpenAsync(_server.ImplicitTlsPort, tls: true);
        await session.SayAsync("EHLO client.test");
        var secret = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{LdapTrees.Password}"));
        Assert.StartsWith("235", await session.SayAsync("AUTH PLAIN " + secret));
        return session;
    }

    /// <summary>The reply that ends it: to the sender, or to the final dot.</summary>
    private static async Task<string> SubmitAsync(RawSession session, string from, string? author = null)
    {
        var reply = await session.SayAsync($"MAIL FROM:<{from}>");
        if (!reply.StartsWith("250", StringComparison.Ordinal))
        {
            return reply;
        }

        await session.SayAsync("RCPT TO:<bob@example.test>");
        await session.SayAsync("DATA");
        return await session.SayAsync($"From: <{author ?? from}>\r\nTo: <bob@example.test>\r\nSubject: x\r\n\r\ntext\r\n.");
    }

    /// <summary>A session asks again what it may after a few seconds.</summary>
    private static async Task UntilAnsweredAsync(RawSession session, string from, string code)
    {
        var reply = "";
        for (var end = DateTime.UtcNow + TimeSpan.FromSeconds(30); DateTime.UtcNow < end && !reply.StartsWith(code, StringComparison.Ordinal);)
        {
            reply = await session.SayAsync($"MAIL FROM:<{from}>");
            await session.SayAsync("RSET");
        }

        Assert.StartsWith(code, reply);
    }
}
