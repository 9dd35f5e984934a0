using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MailKit.Net.Smtp;
using MailKit.Security;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>The logins of a real Dovecot: over IMAP and POP3, under TLS at once and after the upgrade, and over its auth sockets.</summary>
public sealed class MailboxLoginTests
{
    private const string Wrong = "535 5.7.8";
    private const string Later = "454 4.7.0";
    private const string Right = "235 2.7.0";

    public static TheoryData<string> Ways => ["imaps", "imap", "pop3s", "pop3", "unix", "tcp"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Right_wrong_unknown_disabled_and_expired_logins_and_a_database_that_is_away(string way)
    {
        await using var site = await Site.StartAsync(dovecot => dovecot.Directory(way));
        foreach (var (login, password) in DovecotServer.Passwords)
        {
            Assert.StartsWith(Right, await site.LogInAsync(login, password));
        }

        Assert.StartsWith(Right, await site.LogInAsync("Anna@ACME.test", DovecotServer.Passwords["anna@acme.test"]));
        Assert.StartsWith(Wrong, await site.LogInAsync("anna@acme.test", "wrong"));
        Assert.StartsWith(Wrong, await site.LogInAsync("bertil@acme.test", "smorgas pa bordet"));
        Assert.StartsWith(Wrong, await site.LogInAsync("nobody@acme.test", "secret"));
        Assert.StartsWith(Wrong, await site.LogInAsync("disabled@acme.test", "secret"));
        Assert.StartsWith(Wrong, await site.LogInAsync("expired@acme.test", "secret"));
        Assert.StartsWith(Later, await site.LogInAsync("trouble@acme.test", "secret"));
        await site.Server.LoggedAsync("unknown login or wrong password");
        if (way is "unix" or "tcp")
        {
            Assert.StartsWith(Wrong, await site.LogInAsync("nologin@acme.test", "secret"));
            Assert.StartsWith(Later, await site.LogInAsync("proxied@acme.test", "anything at all"));
            Assert.Contains("the account is disabled", site.Server.Log, StringComparison.Ordinal);
        }

        if (!way.StartsWith("pop3", StringComparison.Ordinal))
        {
            Assert.Contains("the password has expired", site.Server.Log, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_server_that_is_down_hangs_or_comes_back_is_454_and_never_535(string way)
    {
        await using var site = await Site.StartAsync(dovecot => dovecot.Directory(way, "timeout = \"3s\"\nconnect_timeout = \"2s\""));
        Assert.StartsWith(Right, await site.LogInAsync());
        await site.Dovecot.SignalAsync("STOP");
        var watch = Stopwatch.StartNew();
        Assert.StartsWith(Later, await site.LogInAsync());
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        Assert.StartsWith(Later, await site.LogInAsync("anna@acme.test", "wrong"));
        await site.Dovecot.SignalAsync("CONT");
        await site.UntilLoggedInAsync("it goes on");
        await site.Dovecot.StopAsync();
        Assert.StartsWith(Later, await site.LogInAsync());
        Assert.StartsWith(Later, await site.LogInAsync("anna@acme.test", "wrong"));
        await site.Dovecot.RunAsync();
        await site.UntilLoggedInAsync("it is back");
    }

    [Theory]
    [InlineData("imaps", "url = [\"imaps://localhost:", "\", \"imaps://localhost:", "\"]")]
    [InlineData("unix", "socket = [\"tcp://127.0.0.1:", "\", \"tcp://127.0.0.1:", "\"]")]
    public async Task The_next_server_is_asked_when_one_is_down(string way, string a, string b, string c)
    {
        DovecotServer? second = null;
        await using var site = await Site.StartAsync(async (folder, certificates, first) =>
        {
            second = await DovecotServer.StartAsync(folder, certificates, "second");
            var (one, two) = way == "imaps" ? (first.ImapsPort, second.ImapsPort) : (first.AuthPort, second.AuthPort);
            var entry = first.Directory(way);
            var line = entry.Split('\n').Single(key =>
                key.StartsWith("url", StringComparison.Ordinal) || key.StartsWith("socket", StringComparison.Ordinal));
            return entry.Replace(line, $"{a}{one}{b}{two}{c}", StringComparison.Ordinal);
        });
        await using (second!)
        {
            Assert.StartsWith(Right, await site.LogInAsync());
            await site.Dovecot.StopAsync();
            await site.UntilLoggedInAsync("the second is asked");
            Assert.StartsWith(Right, await site.LogInAsync());
            Assert.StartsWith(Wrong, await site.LogInAsync("anna@acme.test", "wrong"));
        }
    }

    [Theory]
    [InlineData("imaps")]
    [InlineData("pop3")]
    [InlineData("unix")]
    public async Task Two_hundred_logins_at_once_are_all_answered(string way)
    {
        await using var site = await Site.StartAsync(dovecot => dovecot.Directory(way));
        var watch = Stopwatch.StartNew();
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 200).Select(i => site.LogInAsync($"load{i}@acme.test", i % 10 == 9 ? $"wrong {i}" : "secret")));
        TestContext.Current.SendDiagnosticMessage($"{way}: 200 logins in {watch.Elapsed.TotalSeconds:0.00} s");
        Assert.Equal([Right], replies.Where((_, i) => i % 10 != 9).Select(reply => reply[..Right.Length]).Distinct());
        // What Dovecot does not know the local accounts are asked for, and they may be too busy hashing for so many from one address.
        Assert.Subset(new HashSet<string> { Wrong, Later }, replies.Where((_, i) => i % 10 == 9).Select(reply => reply[..Wrong.Length]).ToHashSet());
        Assert.DoesNotContain("was not judged: dovecot", site.Server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("was not judged: imap", site.Server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("was not judged: pop3", site.Server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SCRAM_is_led_by_Dovecot_and_by_us_each_for_its_own_logins()
    {
        await using var site = await Site.StartAsync(dovecot => "[[directory]]\ntype = \"local\"\n" + dovecot.Directory("unix"));
        await Tool.UntilAsync(() => site.Mechanisms().Contains("SCRAM-SHA-256"), "Dovecot's mechanisms are known");
        Assert.DoesNotContain("SCRAM-SHA-256-PLUS", site.Mechanisms());
        await site.ScramAsync("anna@acme.test", DovecotServer.Passwords["anna@acme.test"]);
        await site.ScramAsync("bertil@acme.test", DovecotServer.Passwords["bertil@acme.test"]);
        await site.ScramAsync(SallyportServer.Login, SallyportServer.Password);
        await Assert.ThrowsAsync<AuthenticationException>(() => site.ScramAsync("anna@acme.test", "wrong"));
        await Assert.ThrowsAsync<AuthenticationException>(() => site.ScramAsync("nobody@acme.test", "secret"));
        await Assert.ThrowsAsync<AuthenticationException>(() => site.ScramAsync(SallyportServer.Login, "wrong"));
        await site.Dovecot.StopAsync();
        await site.ScramAsync(SallyportServer.Login, SallyportServer.Password);
        await Assert.ThrowsAnyAsync<Exception>(() => site.ScramAsync("anna@acme.test", DovecotServer.Passwords["anna@acme.test"]));
        await site.Dovecot.RunAsync();
        await site.ScramAsync("anna@acme.test", DovecotServer.Passwords["anna@acme.test"]);
    }

    [Fact]
    public async Task SCRAM_is_not_offered_when_Dovecot_does_not()
    {
        await using var site = await Site.StartAsync(dovecot => dovecot.Directory("unix"), "plain login");
        Assert.StartsWith(Right, await site.LogInAsync());
        Assert.Equal(["LOGIN", "PLAIN"], site.Mechanisms().Order());
    }

    [Fact]
    public async Task Auth_test_and_doctor_say_what_happens_and_no_secret()
    {
        await using var site = await Site.StartAsync(dovecot =>
            dovecot.Directory("imap", "name = \"mailboxes\"") + "\n" + dovecot.Directory("unix") + "\n" + dovecot.Directory("pop3s"));
        var right = await site.Server.CommandAsync(["auth-test", "bertil@acme.test", "--json"], DovecotServer.Passwords["bertil@acme.test"] + "\n");
        Assert.Equal(0, right.ExitCode);
        Assert.Contains("STARTTLS: the certificate is right", right.Output, StringComparison.Ordinal);
        Assert.Contains("it may send as bertil@acme.test", right.Output, StringComparison.Ordinal);
        var wrong = await site.Server.CommandAsync(["auth-test", "bertil@acme.test", "--json"], "secret of Bertil\n");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("it offers PLAIN", wrong.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret of Bertil", wrong.All + right.All, StringComparison.Ordinal);
        var healthy = await site.Server.CommandAsync(["doctor", "--json"]);
        Assert.Contains("it offers PLAIN", healthy.Output, StringComparison.Ordinal);
        Assert.Contains("answers; its certificate is right", healthy.Output, StringComparison.Ordinal);
        await site.Dovecot.StopAsync();
        var ill = await site.Server.CommandAsync(["doctor", "--json"]);
        Assert.Equal(1, ill.ExitCode);
        Assert.Contains("cannot connect", ill.Output, StringComparison.Ordinal);
    }

    /// <summary>Sallyport with a local account, and Dovecot behind it.</summary>
    private sealed class Site(SallyportServer server, DovecotServer dovecot) : IAsyncDisposable
    {
        public SallyportServer Server => server;

        public DovecotServer Dovecot => dovecot;

        public static Task<Site> StartAsync(Func<DovecotServer, string> directories, string mechanisms = "plain login scram-sha-256") =>
            StartAsync((_, _, dovecot) => Task.FromResult(directories(dovecot)), mechanisms);

        public static async Task<Site> StartAsync(
            Func<TestFolder, Certificates, DovecotServer, Task<string>> directories, string mechanisms = "plain login scram-sha-256")
        {
            DovecotServer? dovecot = null;
            var server = await SallyportServer.StartAsync(prepare: async server =>
            {
                dovecot = await DovecotServer.StartAsync(server.Folder, server.Certificates, mechanisms: mechanisms);
                return "[limits]\nconnections_per_address = 1000\n" + await directories(server.Folder, server.Certificates, dovecot);
            });
            return new Site(server, dovecot!);
        }

        public Task<string> LogInAsync() => LogInAsync("anna@acme.test", DovecotServer.Passwords["anna@acme.test"]);

        public async Task<string> LogInAsync(string login, string password)
        {
            var (session, _) = await RawSession.OpenAsync(server.ImplicitTlsPort, tls: true);
            await using (session)
            {
                await session.SayAsync("EHLO client.test");
                return await session.SayAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}")));
            }
        }

        public async Task UntilLoggedInAsync(string what)
        {
            var until = DateTime.UtcNow + TimeSpan.FromSeconds(60);
            while (!(await LogInAsync()).StartsWith(Right, StringComparison.Ordinal))
            {
                Assert.True(DateTime.UtcNow < until, $"still waiting: {what}\n{server.Log}");
            }
        }

        public string[] Mechanisms()
        {
            using var client = Connect();
            return [.. client.AuthenticationMechanisms];
        }

        public async Task ScramAsync(string login, string password)
        {
            using var client = Connect();
            try
            {
                await client.AuthenticateAsync(new SaslMechanismScramSha256(login, password));
            }
            catch (AuthenticationException exception)
            {
                throw new AuthenticationException($"{exception.Message}\n{server.Log}");
            }

            await client.DisconnectAsync(true);
        }

        public async ValueTask DisposeAsync()
        {
            await dovecot.DisposeAsync();
            await server.DisposeAsync();
        }

        private SmtpClient Connect()
        {
            var client = new SmtpClient { LocalDomain = "client.test", CheckCertificateRevocation = false };
            client.ServerCertificateValidationCallback = static (_, certificate, _, _) => certificate is X509Certificate2;
            client.Connect("localhost", server.ImplicitTlsPort, SecureSocketOptions.SslOnConnect);
            return client;
        }
    }
}
