using System.Diagnostics;
using System.Net.NetworkInformation;
using Sallyport.EndToEnd.Harness;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Ldap;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>Logins judged by a real slapd: with Domino's tree, with OpenLDAP's and with what of Active Directory it can play.</summary>
public sealed class LdapTests
{
    [Fact]
    public async Task A_Domino_user_logs_in_by_each_form_of_the_name()
    {
        await using var site = await LdapSite.DominoAsync(Domino);
        string[] forms =
        [
            "jane.doe@duck.test", "Jane Doe/Sales/DuckWest", "CN=Jane Doe/OU=Sales/O=DuckWest", "cn=Jane Doe,ou=Sales,o=DuckWest", "The Boss",
            "Jane Miller/Sales/DuckWest",
        ];
        foreach (var form in forms)
        {
            Assert.StartsWith("235", await site.LogInAsync(form, LdapTrees.Password));
        }

        Assert.StartsWith("235", await site.LogInAsync("Jane Doe/DuckEast", "east password"));
        Assert.StartsWith("235", await site.LogInAsync("Jörg Müller", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("Jane Doe/DuckWest", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("Jane Doe/Sales/DuckEast", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("jdoe", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("jane.doe@duck.test", "wrong"));
        Assert.StartsWith("535", await site.LogInAsync("nobody", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("Jane Doe", LdapTrees.Password));
        Assert.Contains("login of CN=Jane Doe/OU=Sales/O=DuckWest", site.Sallyport.Log, StringComparison.OrdinalIgnoreCase);
        await site.Sallyport.LoggedAsync("more than one entry has this name");
    }

    [Fact]
    public async Task A_short_name_logs_in_where_the_site_allows_more_names()
    {
        await using var site = await LdapSite.DominoAsync(s => Domino(s) + "\nlogin_names = \"more\"");
        Assert.StartsWith("235", await site.LogInAsync("jdoe", LdapTrees.Password));
    }

    [Fact]
    public async Task Addresses_and_groups_come_from_the_directory_and_auth_test_shows_how()
    {
        await using var site = await LdapSite.DominoAsync(Domino);
        var west = await site.Sallyport.CommandAsync(["auth-test", "Jane Doe/Sales/DuckWest"], LdapTrees.Password + "\n");
        Assert.Equal(0, west.ExitCode);
        foreach (var shown in (string[])["searching as CN=MSA Lookup,O=DuckWest", "(cn=jane doe)", "found cn=Jane Doe,ou=Sales,o=DuckWest",
            "the password is right", "jane.doe@duck.test", "SMTP-Submit; Everybody"])
        {
            Assert.Contains(shown, west.Output, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(LdapTrees.Password, west.All);
        Assert.DoesNotContain("lookup secret", west.All);
        var east = await site.Sallyport.CommandAsync(["auth-test", "Jörg Müller/DuckEast"], LdapTrees.Password + "\n");
        Assert.Contains("EastSenders", east.Output);
        var wrong = await site.Sallyport.CommandAsync(["auth-test", "Jörg Müller/DuckEast"], "wrong\n");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("the password is wrong (result 49", wrong.Output);
        var explained = await site.Sallyport.CommandAsync(
            ["explain", "--login", "Jane Doe/Sales/DuckWest", "--from", "jane.doe@duck.test", "--to", "bob@example.test"]);
        Assert.Contains("would be taken", explained.Output);
    }

    [Fact]
    public async Task Hostile_logins_match_nothing_but_themselves()
    {
        await using var site = await LdapSite.DominoAsync(s => Domino(s) + "\nlogin_names = \"more\"");
        string[] hostile = ["*", "*)(uid=*", "jdoe*", "jdoe)(|(uid=*", "jdoe)(&", @"\2a", "*)(objectClass=*", "jdoe\\", "*/Sales/DuckWest"];
        foreach (var login in hostile)
        {
            Assert.StartsWith("535", await site.LogInAsync(login, LdapTrees.Password));
        }

        Assert.StartsWith("235", await site.LogInAsync("star*)(uid=*", "star password"));
        Assert.StartsWith("5", await site.LogInAsync("jdoe", ""));
    }

    [Fact]
    public async Task As_typed_needs_nobody_to_search_and_finds_the_addresses_all_the_same()
    {
        await using var site = await LdapSite.DominoAsync(s => $"""
            preset = "domino"
            url = "{s.Servers[0].Url}"
            bind = "as-typed"
            """);
        Assert.StartsWith("235", await site.LogInAsync("cn=Jane Doe,ou=Sales,o=DuckWest", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("cn=Jane Doe,ou=Sales,o=DuckWest", "wrong"));
        Assert.StartsWith("535", await site.LogInAsync("jane", "wrong"));
        var trial = await site.Sallyport.CommandAsync(["auth-test", "cn=Jane Doe,ou=Sales,o=DuckWest"], LdapTrees.Password + "\n");
        Assert.Contains("jane.doe@duck.test", trial.Output);
    }

    [Fact]
    public async Task OpenLDAP_judges_right_wrong_unknown_locked_and_must_change()
    {
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s, "ldaps"));
        Assert.StartsWith("235", await site.LogInAsync("jane", LdapTrees.Password));
        Assert.StartsWith("235", await site.LogInAsync("jane.doe@acme.test", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("jane", "wrong"));
        Assert.StartsWith("535", await site.LogInAsync("nobody", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("twin@acme.test", LdapTrees.Password));
        await AssertRefusedAsync(site, "locked", "the account is disabled");
        await AssertRefusedAsync(site, "reset", "the password has expired");
        for (var i = 0; i < 3; i++)
        {
            Assert.StartsWith("535", await site.LogInAsync("lockme", "wrong"));
        }

        await AssertRefusedAsync(site, "lockme", "the account is disabled");
        var trial = await site.Sallyport.CommandAsync(["auth-test", "jane"], LdapTrees.Password + "\n");
        Assert.Contains("jane@acme.test, jane.doe@acme.test", trial.Output);
        Assert.Contains("cn=senders,dc=acme,dc=test", trial.Output);
        Assert.Contains("below dc=acme,dc=test", trial.Output);
    }

    [Fact]
    public async Task Active_Directory_accounts_that_are_disabled_or_expired_may_not_send()
    {
        await using var site = await LdapSite.OpenLdapAsync(s => $"""
            preset = "active-directory"
            url = "{s.Servers[0].TlsUrl}"
            tls_ca = "{s.CaFile}"
            base = "dc=acme,dc=test"
            bind_dn = "cn=admin,dc=acme,dc=test"
            password_file = "{s.Secret("admin-secret")}"
            """);
        foreach (var login in (string[])["ann", "ann@corp.acme.test", "ann@acme.test", "ann.alias@acme.test"])
        {
            Assert.StartsWith("235", await site.LogInAsync(login, LdapTrees.Password));
        }

        await AssertRefusedAsync(site, "off", "the account is disabled");
        await AssertRefusedAsync(site, "past", "the password has expired");
        var trial = await site.Sallyport.CommandAsync(["auth-test", "ann"], LdapTrees.Password + "\n");
        Assert.Contains("ann@acme.test, ann.alias@acme.test", trial.Output);
        Assert.Contains("login", trial.Output);
        Assert.DoesNotContain("X500", trial.Output);
    }

    [Fact]
    public async Task A_server_that_is_down_is_454_and_logins_come_back_with_it()
    {
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s, "ldaps"));
        Assert.StartsWith("235", await site.LogInAsync("jane", LdapTrees.Password));
        await site.Servers[0].StopAsync();
        Assert.StartsWith("454", await site.LogInAsync("jane", LdapTrees.Password));
        Assert.StartsWith("454", await site.LogInAsync("jane", "wrong"));
        var doctor = await site.Sallyport.CommandAsync(["doctor"]);
        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains("directory site, ldaps://127.0.0.1", doctor.Output);
        await site.Servers[0].RunAsync();
        await UntilAsync(site, "235", "jane");
        await site.Sallyport.LoggedAsync("is down");
        await site.Sallyport.LoggedAsync("answers again");
        doctor = await site.Sallyport.CommandAsync(["doctor"]);
        Assert.Contains("answers; TLS, nobody bound", doctor.Output);
    }

    [Theory]
    [InlineData("ldaps", true)]
    [InlineData("ldaps", false)]
    [InlineData("starttls", false)]
    public async Task A_server_that_hangs_is_454_within_the_deadline(string tls, bool connectedBefore)
    {
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s, tls) + "\ntimeout = \"2s\"");
        if (connectedBefore)
        {
            Assert.StartsWith("235", await site.LogInAsync("jane", LdapTrees.Password));
        }

        await site.Servers[0].SignalAsync("STOP");
        var begun = Stopwatch.StartNew();
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => site.LogInAsync("jane", LdapTrees.Password)));
        Assert.All(replies, reply => Assert.StartsWith("454", reply));
        Assert.InRange(begun.Elapsed.TotalSeconds, 0, 10);
        await site.Servers[0].SignalAsync("CONT");
        await UntilAsync(site, "235", "jane");
    }

    [Fact]
    public async Task The_second_server_answers_when_the_first_does_not()
    {
        await using var site = await LdapSite.OpenLdapAsync(
            s => OpenLdap(s, "ldaps").Replace($"\"{s.Servers[0].TlsUrl}\"", $"[\"{s.Servers[0].TlsUrl}\", \"{s.Servers[1].TlsUrl}\"]"), servers: 2);
        Assert.StartsWith("235", await site.LogInAsync("jane", LdapTrees.Password));
        await site.Servers[0].StopAsync();
        Assert.StartsWith("235", await site.LogInAsync("jane", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("jane", "wrong"));
        await site.Servers[0].RunAsync();
        await site.Servers[1].SignalAsync("STOP");
        await UntilAsync(site, "235", "jane");
        await site.Servers[1].SignalAsync("CONT");
    }

    [Theory]
    [InlineData("ldaps")]
    [InlineData("starttls")]
    public async Task A_certificate_of_another_authority_is_454_with_the_reason(string tls)
    {
        using var elsewhere = new TestFolder();
        var stranger = new Certificates(elsewhere).CaFile;
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s, tls).Replace(s.CaFile, stranger));
        Assert.StartsWith("454", await site.LogInAsync("jane", LdapTrees.Password));
        await site.Sallyport.LoggedAsync($"its certificate is not from an authority in {stranger}");
    }

    [Fact]
    public async Task StartTLS_with_the_sites_own_authority()
    {
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s, "starttls"));
        Assert.StartsWith("235", await site.LogInAsync("jane", LdapTrees.Password));
        Assert.StartsWith("535", await site.LogInAsync("jane", "wrong"));
    }

    [Fact]
    public async Task Two_hundred_log_in_at_once()
    {
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s, "ldaps"));
        var begun = Stopwatch.StartNew();
        var replies = await Task.WhenAll(Enumerable.Range(0, 200)
            .Select(i => i % 2 == 0 ? site.LogInAsync("jane", LdapTrees.Password) : site.LogInAsync("lockme", "wrong " + i)));
        Assert.Equal(
            ["235: 100", "535: 100"],
            replies.GroupBy(reply => reply[..3]).OrderBy(group => group.Key).Select(group => $"{group.Key}: {group.Count()}"));
        TestContext.Current.TestOutputHelper?.WriteLine($"200 logins, sessions and all, in {begun.Elapsed}");
    }

    [Theory]
    [InlineData("ldaps")]
    [InlineData("loopback")]
    public async Task A_thousand_logins_open_no_more_connections_than_allowed(string tls)
    {
        using var folder = new TestFolder();
        var certificates = new Certificates(folder);
        await using var slapd = await Slapd.StartAsync(folder, certificates, "slapd", LdapTrees.OpenLdap, LdapTrees.OpenLdapPeople);
        var port = tls == "ldaps" ? slapd.TlsPort : slapd.Port;
        using var directory = new LdapDirectory(
            new LdapDirectoryOptions("people")
            {
                Servers = [new LdapServerAddress("127.0.0.1", port, tls == "ldaps")],
                TlsCa = certificates.CaFile,
                Base = "dc=acme,dc=test",
                UserFilter = "(uid={login})",
                ConnectionsMax = 4,
                Timeout = TimeSpan.FromSeconds(25),
            },
            TimeProvider.System, static _ => { });
        var begun = Stopwatch.StartNew();
        var asked = Enumerable.Range(0, 1000)
            .Select(_ => directory.CheckPasswordAsync("jane", LdapTrees.Password, TestContext.Current.CancellationToken).AsTask()).ToList();
        Assert.All(await Task.WhenAll(asked), answer => Assert.IsType<LoginVerdict.Granted>(answer));
        var open = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
            .Count(connection => connection.RemoteEndPoint.Port == port && connection.State == TcpState.Established);
        Assert.InRange(open, 1, 8);
        TestContext.Current.TestOutputHelper?.WriteLine($"{tls}: {1000 / begun.Elapsed.TotalSeconds:0} logins/s, {open} connections");
    }

    private static string Domino(LdapSite site) => $"""
        preset = "domino"
        url = "{site.Servers[0].TlsUrl}"
        tls_ca = "{site.CaFile}"
        bind_dn = "CN=MSA Lookup,O=DuckWest"
        password_file = "{site.Secret("lookup secret")}"
        """;

    private static string OpenLdap(LdapSite site, string tls) => $"""
        preset = "openldap"
        url = "{(tls == "ldaps" ? site.Servers[0].TlsUrl : site.Servers[0].Url)}"
        starttls = {(tls == "starttls" ? "true" : "false")}
        tls_ca = "{site.CaFile}"
        base = "dc=acme,dc=test"
        """;

    private static async Task AssertRefusedAsync(LdapSite site, string login, string why)
    {
        Assert.StartsWith("5", await site.LogInAsync(login, LdapTrees.Password));
        await Tool.UntilAsync(
            () => site.Sallyport.Log.Split('\n').Any(
                line => line.Contains(login, StringComparison.Ordinal) && line.Contains(why, StringComparison.Ordinal)),
            $"a line on {login}: {why}", null, () => site.Sallyport.Log);
    }

    private static async Task UntilAsync(LdapSite site, string reply, string login)
    {
        var last = "";
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        while (!last.StartsWith(reply, StringComparison.Ordinal))
        {
            patience.Token.ThrowIfCancellationRequested();
            last = await site.LogInAsync(login, LdapTrees.Password);
        }
    }
}
