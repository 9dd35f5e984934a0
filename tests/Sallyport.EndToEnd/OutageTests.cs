using System.Text;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>slapd is stopped, and who has logged in from the same network goes on for a while.</summary>
public sealed class OutageTests
{
    private const string Mail = "MAIL FROM:<jane@acme.test>";

    [Fact]
    public async Task A_login_goes_on_from_its_network_while_slapd_is_down_and_from_no_other()
    {
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s) + "\nlogin_cache = \"0s\"\noutage_for = \"4h\"");
        await RememberedAsync(site);
        await site.Servers[0].StopAsync();
        Assert.StartsWith("454", await LogInAsync(site, "jane", "wrong"));
        Assert.StartsWith("454", await LogInAsync(site, "jane", LdapTrees.Password, from: "127.0.0.2"));
        Assert.StartsWith("454", await LogInAsync(site, "lockme", LdapTrees.Password));
        var (session, _) = await RawSession.OpenAsync(site.Sallyport.ImplicitTlsPort, tls: true);
        await using (session)
        {
            await session.SayAsync("EHLO client.test");
            Assert.StartsWith("235", await session.SayAsync(Auth("jane", LdapTrees.Password)));
            Assert.StartsWith("250", await session.SayAsync(Mail));
            Assert.StartsWith("250", await session.SayAsync("RCPT TO:<bob@example.test>"));
            Assert.StartsWith("354", await session.SayAsync("DATA"));
            Assert.StartsWith("250", await session.SayAsync("From: jane@acme.test\r\nSubject: while it is away\r\n\r\nText\r\n."));
        }

        await site.Sallyport.CapturedContainingAsync("while it is away");
        await site.Sallyport.LoggedAsync("OUTAGE: login of jane from 127.0.0.1: directory site is away (");
        await site.Sallyport.LoggedAsync(", while directory site is away");

        // A restart in the middle of it takes nothing away, and what slapd refuses later ends it.
        site.Sallyport.Kill();
        await site.Sallyport.RunAsync();
        Assert.StartsWith("235", await LogInAsync(site, "jane", LdapTrees.Password));
        await site.Servers[0].RunAsync();
        Assert.StartsWith("235", await LogInAsync(site, "jane", LdapTrees.Password));
    }

    [Fact]
    public async Task After_the_time_it_is_454_again()
    {
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s) + "\nlogin_cache = \"0s\"\noutage_for = \"6s\"");
        await RememberedAsync(site);
        var last = DateTimeOffset.UtcNow;
        await site.Servers[0].StopAsync();
        Assert.StartsWith("235", await LogInAsync(site, "jane", LdapTrees.Password));
        await Tool.UntilAsync(() => DateTimeOffset.UtcNow - last > TimeSpan.FromSeconds(6), "the time is over");
        Assert.StartsWith("454", await LogInAsync(site, "jane", LdapTrees.Password));
    }

    [Fact]
    public async Task A_password_that_was_right_a_moment_ago_is_not_asked_again()
    {
        await using var site = await LdapSite.OpenLdapAsync(s => OpenLdap(s) + "\nlogin_cache = \"1h\"");
        Assert.StartsWith("235", await LogInAsync(site, "jane", LdapTrees.Password));
        await site.Servers[0].StopAsync();
        Assert.StartsWith("235", await LogInAsync(site, "jane", LdapTrees.Password));
        Assert.StartsWith("454", await LogInAsync(site, "jane", "wrong"));
        Assert.StartsWith("235", await LogInAsync(site, "jane", LdapTrees.Password));
        Assert.Equal(0, (await site.Sallyport.CommandAsync(["bans", "reset", "jane"])).ExitCode);
        Assert.StartsWith("454", await LogInAsync(site, "jane", LdapTrees.Password));
    }

    /// <summary>Logged in, and the verifier is in the store: made after the answer, written behind.</summary>
    private static async Task RememberedAsync(LdapSite site)
    {
        Assert.StartsWith("235", await LogInAsync(site, "jane", LdapTrees.Password));
        await Tool.UntilAsync(() => Directory.GetFiles(site.Sallyport.Folder.Of("data"), "*", SearchOption.AllDirectories)
            .Where(file => !file.EndsWith(".sock", StringComparison.Ordinal)).Any(HasVerifier), "the verifier is stored");
    }

    private static bool HasVerifier(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return reader.ReadToEnd().Contains("\"iterations\":600000", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string OpenLdap(LdapSite site) => $"""
        preset = "openldap"
        url = "{site.Servers[0].TlsUrl}"
        tls_ca = "{site.CaFile}"
        base = "dc=acme,dc=test"
        """;

    private static async Task<string> LogInAsync(LdapSite site, string login, string password, string from = "127.0.0.1")
    {
        var (session, _) = await RawSession.OpenAsync(site.Sallyport.ImplicitTlsPort, tls: true, from);
        await using (session)
        {
            await session.SayAsync("EHLO client.test");
            return await session.SayAsync(Auth(login, password));
        }
    }

    private static string Auth(string login, string password) =>
        "AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}"));
}
