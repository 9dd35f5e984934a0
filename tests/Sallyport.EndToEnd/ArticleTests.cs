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
        await using var network = await Network.CreateAsync(folder);
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
        Assert.Contains($"login of {SallyportServer.Login} from {Listed}", server.Log);
    }

    private static Task<ToolResult> SwaksAsync(Network network, string from, int port) => Tool.RunAsync([
        .. network.Inside, Peers.Require("swaks"), "--server", "127.0.0.1", "--port", $"{port}", "--tls-on-connect",
        "--local-interface", from, "--auth", "PLAIN", "--auth-user", SallyportServer.Login, "--auth-password", SallyportServer.Password,
        "--from", SallyportServer.Login, "--to", "bob@example.test", "--header", "Subject: from the train"]);

    /// <summary>A network namespace with nothing but loopback and a name server that knows one blacklist.</summary>
    private sealed class Network : IAsyncDisposable
    {
        private readonly string _name = "sallyport-" + Guid.NewGuid().ToString("N")[..8];
        private Process? _rbldnsd;

        public string[] Inside => [Peers.Require("ip"), "netns", "exec", _name];

        private string ResolverFolder => Path.Combine("/etc/netns", _name);

        public static async Task<Network> CreateAsync(TestFolder folder)
        {
            var network = new Network();
            Directory.CreateDirectory(network.ResolverFolder);
            File.WriteAllText(Path.Combine(network.ResolverFolder, "resolv.conf"), "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n");
            await RunAsync([Peers.Require("ip"), "netns", "add", network._name]);
            await RunAsync([.. network.Inside, Peers.Require("ip"), "link", "set", "lo", "up"]);
            var zone = folder.Write("dnsbl.zone", $":127.0.0.2:Listed for the test\n{Listed}\n");
            network._rbldnsd = Process.Start(Tool.Start(
                [.. network.Inside, Peers.Require("rbldnsd"), "-n", "-b", "127.0.0.1/53", $"dnsbl.test:ip4set:{zone}"]))!;
            return network;
        }

        public async ValueTask DisposeAsync()
        {
            if (_rbldnsd is not null)
            {
                _rbldnsd.Kill();
                await _rbldnsd.WaitForExitAsync();
                _rbldnsd.Dispose();
            }

            await RunAsync([Peers.Require("ip"), "netns", "delete", _name]);
            Directory.Delete(ResolverFolder, recursive: true);
        }

        private static async Task RunAsync(string[] command)
        {
            var result = await Tool.RunAsync(command);
            Assert.True(result.ExitCode == 0, string.Join(' ', command) + ": " + result.All);
        }
    }
}
