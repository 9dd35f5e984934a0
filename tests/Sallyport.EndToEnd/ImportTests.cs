using System.Text;
using System.Text.Json;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>What slapcat and other programs write, imported into a running server, and who logs in then.</summary>
public sealed class ImportTests
{
    [Fact]
    public async Task What_slapcat_writes_is_imported_and_its_users_log_in_at_the_running_server()
    {
        await using var server = await StartAsync();
        var ssha = (await Tool.RunAsync(Peers.Require("slappasswd"), ["-h", "{SSHA}", "-s", "salted words"])).Output.Trim();
        var crypt = (await Tool.RunAsync(Peers.Require("openssl"), ["passwd", "-6", "crypted words"])).Output.Trim();
        await using var slapd = await Slapd.StartAsync(server.Folder, server.Certificates, "slapd", LdapTrees.OpenLdap, $"""
            {LdapTrees.OpenLdapPeople}
            dn: uid=salted,ou=people,dc=acme,dc=test
            objectClass: inetOrgPerson
            cn: Salted
            sn: Salted
            uid: salted
            mail: salted@acme.test
            userPassword: {ssha}

            dn: uid=crypted,ou=people,dc=acme,dc=test
            objectClass: inetOrgPerson
            cn: Crypted
            sn: Crypted
            uid: crypted
            mail: crypted@acme.test
            userPassword: {"{CRYPT}"}{crypt}

            """);
        var tree = (await Tool.RunAsync(Peers.Require("slapcat"), ["-f", slapd.ConfigFile])).Output;
        Assert.StartsWith("454", await LogInAsync(server, "salted", "salted words"));

        string[] import = ["import", "-", "--format", "ldif", "--preset", "openldap", "--hash-plain", "--json"];
        var trial = await server.CommandAsync([.. import, "--dry-run"], tree);
        Assert.True(trial.ExitCode == 0, trial.All);
        Assert.False(File.Exists(server.Folder.Of("imported.passwords")));
        var done = await server.CommandAsync(import, tree);
        Assert.True(done.ExitCode == 0, done.All);
        Assert.DoesNotContain(LdapTrees.Password, done.All);
        Assert.DoesNotContain(ssha, done.All);
        var report = JsonDocument.Parse(done.Output).RootElement;
        Assert.Equal(JsonDocument.Parse(trial.Output).RootElement.GetProperty("added").GetInt32(), report.GetProperty("added").GetInt32());
        Assert.Contains(report.GetProperty("forms").EnumerateArray(),
            form => form.GetProperty("form").GetString() == "{SSHA}" && form.GetProperty("weak").GetBoolean());

        await UntilJudgedAsync(server, "salted", "salted words");
        Assert.StartsWith("235", await LogInAsync(server, "salted@acme.test", "salted words"));
        Assert.StartsWith("235", await LogInAsync(server, "crypted", "crypted words"));
        Assert.StartsWith("235", await LogInAsync(server, "jane", LdapTrees.Password));
        Assert.StartsWith("535", await LogInAsync(server, "crypted", "salted words"));
        Assert.StartsWith("535", await LogInAsync(server, "locked", LdapTrees.Password));
        Assert.StartsWith("535", await LogInAsync(server, "off", LdapTrees.Password));
        Assert.StartsWith("535", await LogInAsync(server, "twin@acme.test", LdapTrees.Password));
        await server.LoggedAsync("the weak hash ({SSHA}) of salted");

        var again = JsonDocument.Parse((await server.CommandAsync(import, tree)).Output).RootElement;
        Assert.Equal((0, 0), (again.GetProperty("added").GetInt32(), again.GetProperty("changed").GetInt32()));
    }

    [Fact]
    public async Task A_table_says_what_is_wrong_with_it_and_a_client_sends_with_what_was_right()
    {
        await using var server = await StartAsync();
        var file = server.Folder.Write("users.csv",
            "account;hash;mail\nbob;(GDJ0nDZI8l8RJzlRbemg);bob@acme.test\ncarol;secret words;carol@acme.test\ndave;\"x\n");
        var wrong = await server.CommandAsync(["import", file]);
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("line 1: there is no column login; the first row has account;hash;mail: is it another --delimiter?", wrong.Error);
        var done = await server.CommandAsync(
            ["import", file, "--delimiter", ";", "--login", "account,mail", "--password", "hash", "--address", "mail"]);
        Assert.True(done.ExitCode == 0, done.All);
        Assert.Contains("line 3: carol: its password is plain text; --hash-plain hashes it", done.Error);
        Assert.Contains("line 4: a row has a quote, opened in line 4, that is never closed", done.Error);
        Assert.Contains("3 entries read: 1 added, 0 changed, 0 unchanged, 0 kept, 0 removed; 2 skipped", done.Output);
        Assert.DoesNotContain("secret words", done.All);

        await UntilJudgedAsync(server, "bob", "hashcat");
        var of = await server.CommandAsync(["grants", "of", "bob@acme.test"]);
        Assert.Contains("Login      bob, of directory imported", of.Output);
    }

    private static Task<SallyportServer> StartAsync() => SallyportServer.StartAsync(prepare: server => Task.FromResult($"""
        [[directory]]
        name = "imported"
        type = "hashes"
        file = "{server.Folder.Of("imported.passwords")}"
        """));

    /// <summary>The server looks at the file once a second.</summary>
    private static async Task UntilJudgedAsync(SallyportServer server, string login, string password)
    {
        var reply = "";
        for (var end = DateTime.UtcNow + TimeSpan.FromSeconds(30); DateTime.UtcNow < end && !reply.StartsWith("235", StringComparison.Ordinal);)
        {
            reply = await LogInAsync(server, login, password);
        }

        Assert.StartsWith("235", reply);
    }

    private static async Task<string> LogInAsync(SallyportServer server, string login, string password)
    {
        var (session, _) = await RawSession.OpenAsync(server.ImplicitTlsPort, tls: true);
        await using (session)
        {
            await session.SayAsync("EHLO client.test");
            return await session.SayAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}")));
        }
    }
}
