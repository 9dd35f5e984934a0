using System.Diagnostics;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>
/// Why Sallyport is there. A mail exchanger with a DNS blacklist and a rule that nobody outside uses its domain, its port 465 open for
/// authenticated users, refuses the site's own user; Sallyport takes the mail from the same address and the same user. All in a
/// network namespace of its own, with rbldnsd as its name server.
/// </summary>
public sealed class ArticleTests
{
    private const string Listed = "127.0.0.2";
    private const string Unlisted = "127.0.0.3";

    [Fact]
    public async Task The_exchangers_rules_hit_its_own_user_and_Sallyport_has_none_of_them()
    {
        Peers.RequireRoot();
        Peers.Require("rbldnsd");
        Peers.Require("swaks");
        using var folder = new TestFolder();
        await using var network = await NetworkNamespace.CreateAsync();
        await using var blacklist = Blacklist.In(network, folder);
        var (certificate, key) = new Certificates(folder).Issue("mx.test");
        const string ownDomain = "inline:{ { acme.test = 554 5.7.1 nobody outside uses our domain } }";
        await using var postfix = await PostfixServer.StartAsync(folder, $"""
            smtpd_tls_security_level = may
            smtpd_tls_cert_file = {certificate}
            smtpd_tls_key_file = {key}
            smtpd_client_restrictions = reject_rbl_client dnsbl.test, permit_sasl_authenticated
            smtpd_sender_restrictions = check_sender_access {ownDomain}
            smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
            """,
            first: "-o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes",
            second: "-o smtpd_client_restrictions= -o smtpd_sender_restrictions=",
            network.Inside);
        await using var dovecot = await DovecotAuth.StartAsync(
            folder, postfix.AuthSocket, SallyportServer.Login, SallyportServer.Password, network.Inside);

        var listed = await SwaksAsync(network, Listed, postfix.Port);
        Assert.Contains("Authentication successful", listed.All);
        Assert.Contains("blocked using dnsbl.test", listed.All);
        var unlisted = await SwaksAsync(network, Unlisted, postfix.Port);
        Assert.Contains("Authentication successful", unlisted.All);
        Assert.Contains("nobody outside uses our domain", unlisted.All);
        Assert.Contains(
            $"reject: RCPT from unknown[{Listed}]: 554 5.7.1 Service unavailable; Client host [{Listed}] blocked using dnsbl.test",
            postfix.Log);
        Assert.Empty(postfix.Delivered());

        await using var server = await SallyportServer.StartAsync(_ => $"""
            [[route]]
            recipients = ["*"]
            smarthost = "127.0.0.1:{postfix.SecondPort}"
            tls = "encrypt"
            """, inside: network.Inside);
        var taken = await SwaksAsync(network, Listed, server.ImplicitTlsPort);
        Assert.True(taken.ExitCode == 0, taken.All);
        var arrived = await postfix.DeliveredContainingAsync("Subject: from the train", () => server.Log);
        Assert.Contains("by msa.test (Sallyport) with ESMTPSA", File.ReadAllText(arrived));
        await server.LoggedAsync($"login of {SallyportServer.Login} from {Listed}");
    }

    private static Task<ToolResult> SwaksAsync(NetworkNamespace network, string from, int port) => Tool.RunAsync([
        .. network.Inside, Peers.Require("swaks"), "--server", "127.0.0.1", "--port", $"{port}", "--tls-on-connect",
        "--local-interface", from, "--auth", "PLAIN", "--auth-user", SallyportServer.Login, "--auth-password", SallyportServer.Password,
        "--from", SallyportServer.Login, "--to", "bob@example.test", "--header", "Subject: from the train"]);

    /// <summary>A network namespace with a name server that knows one blacklist.</summary>
    private sealed class Blacklist : IAsyncDisposable
    {
        private readonly string _resolverFolder;
        private readonly Process _rbldnsd;

        private Blacklist(string resolverFolder, Process rbldnsd) => (_resolverFolder, _rbldnsd) = (resolverFolder, rbldnsd);

        public static Blacklist In(NetworkNamespace network, TestFolder folder)
        {
            var resolver = Directory.CreateDirectory(Path.Combine("/etc/netns", network.Name)).FullName;
            File.WriteAllText(Path.Combine(resolver, "resolv.conf"), "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n");
            var zone = folder.Write("dnsbl.zone", $":127.0.0.2:Listed for the test\n{Listed}\n");
            return new Blacklist(resolver, Process.Start(Tool.Start(
                [.. network.Inside, Peers.Require("rbldnsd"), "-n", "-b", "127.0.0.1/53", $"dnsbl.test:ip4set:{zone}"]))!);
        }

        public async ValueTask DisposeAsync()
        {
            _rbldnsd.Kill();
            await _rbldnsd.WaitForExitAsync();
            _rbldnsd.Dispose();
            Directory.Delete(_resolverFolder, recursive: true);
        }
    }
}
