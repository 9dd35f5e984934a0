using System.Diagnostics;
using System.Text.Json;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>hydra guesses from six addresses at a site whose twenty users go on with their work.</summary>
public sealed class AttackTests
{
    private const string Victim = "u00";
    private const string Password = "Ordinary-Password-7";
    private const int Users = 20;
    private const int Guesses = 2000;
    private const int LockoutAt = 10;
    private const int DirectoryFailures = 8;

    private static readonly string[] Attackers = [.. Enumerable.Range(1, 6).Select(i => $"127.0.9.{i}")];

    /// <summary>Twenty people, each from an address of their own, who send a message every half second until told to stop.</summary>
    private const string UsersScript = """
        import json, smtplib, ssl, sys, threading, time
        port, ca, users, password = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
        context, stop, lock = ssl.create_default_context(cafile=ca), threading.Event(), threading.Lock()
        seconds, troubles = [], []
        def work(number):
            login = f"u{number:02}"
            while not stop.is_set():
                began = time.monotonic()
                try:
                    with smtplib.SMTP_SSL("localhost", port, "client.test", context=context, timeout=60,
                                          source_address=(f"127.0.8.{number + 1}", 0)) as server:
                        server.login(login, password)
                        server.sendmail(f"{login}@acme.test", ["bob@example.test"],
                                        f"From: {login}@acme.test\r\nTo: bob@example.test\r\nSubject: work\r\n\r\nHello.\r\n")
                    with lock:
                        seconds.append(time.monotonic() - began)
                except Exception as trouble:
                    with lock:
                        troubles.append(f"{login}: {trouble}")
                stop.wait(0.5)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(users)]
        for thread in threads: thread.start()
        sys.stdin.read()
        stop.set()
        for thread in threads: thread.join()
        print(json.dumps({"seconds": seconds, "troubles": troubles}))
        """;

    [Fact]
    public async Task Two_thousand_guesses_at_a_login_and_one_password_over_two_thousand_logins_touch_nobody_else()
    {
        Peers.Require("hydra");
        using var folder = new TestFolder();
        await using var network = await NetworkNamespace.CreateAsync(Attackers);
        var people = LdapTrees.OpenLdapPeople.Replace("pwdMaxFailure: 3", $"pwdMaxFailure: {LockoutAt}", StringComparison.Ordinal);
        await using var slapd = await Slapd.StartAsync(folder, new Certificates(folder), "slapd", LdapTrees.OpenLdap,
            people + "\n" + LdapTrees.MorePeople(Users, Password), network.Inside);
        await using var server = await SallyportServer.StartAsync(listen: "0.0.0.0", inside: network.Inside,
            guard: $"directory_failures_per_login = {DirectoryFailures}", more: $"""
            [log]
            style = "human"
            [[directory]]
            name = "site"
            type = "ldap"
            preset = "openldap"
            url = "{slapd.Url}"
            base = "dc=acme,dc=test"
            """);

        var calm = await WorkAsync(network, server, _ => Task.CompletedTask);
        var atOneLogin = await WorkAsync(network, server, _ => Task.WhenAll(Attackers.Select((from, i) =>
            HydraAsync(network, server, from, ["-l", Victim, "-P", Words(folder, $"passwords{i}", i, n => $"guess{n}")]))));
        var guessed = Wrong(slapd, Victim);
        Assert.InRange(guessed, 1, DirectoryFailures);

        await UnbanAllAsync(server);
        var overLogins = await WorkAsync(network, server, _ => Task.WhenAll(Attackers.Select((from, i) =>
            HydraAsync(network, server, from, ["-L", Words(folder, $"logins{i}", i, n => $"u{n:00}"), "-p", "Summer2026"]))));
        Assert.All(Enumerable.Range(0, Users), n => Assert.InRange(Wrong(slapd, $"u{n:00}"), 0, DirectoryFailures));

        foreach (var (phase, work) in (IEnumerable<(string, Work)>)[("calm", calm), ("one login", atOneLogin), ("many logins", overLogins)])
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{phase}: {work}");
            Assert.True(work.Troubles.Length == 0, $"{phase}: {string.Join('\n', work.Troubles)}\n{server.Log}");
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"the directory saw {guessed} wrong passwords of {Victim}, {slapd.WrongPasswords().Count} in all");
        await AssertNamedAsync(network, server, folder);
    }

    /// <summary>Whoever reads the log learns who attacks, in each of its styles.</summary>
    private static async Task AssertNamedAsync(NetworkNamespace network, SallyportServer server, TestFolder folder)
    {
        Assert.All(Attackers, from => Assert.Contains($"BANNED {from} until ", server.Log));
        foreach (var (style, next, lines) in (IEnumerable<(string, string, Func<string, string[]>)>)[
            ("human", "json", from =>
                ["\"event\":\"login_failed\"", $"\"client\":\"{from}\"", "\"event\":\"network_banned\"", $"\"network\":\"{from}\""]),
            ("json", "domino", from => ["Authentication failed for user u", $" ; connecting host {from}", $"BANNED {from} until "])])
        {
            await UnbanAllAsync(server);
            var before = server.Log.Length;
            await File.WriteAllTextAsync(server.ConfigFile, File.ReadAllText(server.ConfigFile)
                .Replace($"style = \"{style}\"", $"style = \"{next}\"", StringComparison.Ordinal));
            await server.SignalAsync("HUP");
            await Tool.UntilAsync(() => server.Log[before..].Contains("read again", StringComparison.Ordinal), "the reload", null, () => server.Log);
            var from = Attackers[0];
            await HydraAsync(network, server, from, ["-L", Words(folder, next, 0, n => $"u{n:00}"), "-p", $"Autumn-{next}"], seconds: 8);
            Assert.All(lines(from), line => Assert.Contains(line, server.Log[before..]));
        }
    }

    private static async Task UnbanAllAsync(SallyportServer server)
    {
        foreach (var from in Attackers)
        {
            await server.CommandAsync(["bans", "remove", from]);
        }
    }

    private static int Wrong(Slapd slapd, string uid) => slapd.WrongPasswords().Count(name => name == $"uid={uid},ou=people,dc=acme,dc=test");

    /// <summary>The users work from before something happens until after it, and for at least 200 messages.</summary>
    private static async Task<Work> WorkAsync(NetworkNamespace network, SallyportServer server, Func<Process, Task> happens)
    {
        using var users = Process.Start(Tool.Start([.. network.Inside, Peers.Require("python3"), "-c", UsersScript,
            $"{server.ImplicitTlsPort}", server.Certificates.CaFile, $"{Users}", Password]))!;
        var result = users.StandardOutput.ReadToEndAsync();
        var errors = users.StandardError.ReadToEndAsync();
        var enough = server.Captured().Length + (10 * Users);
        await happens(users);
        await Tool.UntilAsync(() => users.HasExited || server.Captured().Length >= enough, "the users' messages", TimeSpan.FromMinutes(2));
        users.StandardInput.Close();
        await Tool.EndAsync(users);
        Assert.True(users.ExitCode == 0, await errors);
        using var json = JsonDocument.Parse(await result);
        return new Work(
            [.. json.RootElement.GetProperty("seconds").EnumerateArray().Select(second => second.GetDouble()).Order()],
            [.. json.RootElement.GetProperty("troubles").EnumerateArray().Select(trouble => trouble.GetString()!)]);
    }

    /// <summary>hydra from one address, until it is done, gives up because nobody answers it any more, or has tried for so long.</summary>
    private static async Task HydraAsync(NetworkNamespace network, SallyportServer server, string from, string[] what, int seconds = 20)
    {
        var attack = await Tool.RunAsync([
            // A child of hydra's can outlive a TERM and keep its output open for ever; KILL reaches the whole group.
            .. network.Inside, Peers.Require("env"), "-C", server.Folder.Of("."), Peers.Require("timeout"), "-s", "KILL", $"{seconds}",
            Peers.Require("hydra"), "-I", "-S", "-t", "4", "-w", "3", "-s", $"{server.ImplicitTlsPort}", .. what, "-m", "PLAIN", from, "smtp"]);
        TestContext.Current.TestOutputHelper?.WriteLine($"hydra from {from} ended with {attack.ExitCode}: {attack.All}");
        Assert.DoesNotContain(" 1 valid password", attack.Output);
    }

    private static string Words(TestFolder folder, string name, int attacker, Func<int, string> word) => folder.Write(
        name, string.Concat(Enumerable.Range(0, Guesses).Where(n => n % Attackers.Length == attacker).Select(n => word(n) + "\n")));

    /// <param name="Seconds">From connecting to QUIT, for each message, shortest first.</param>
    private sealed record Work(double[] Seconds, string[] Troubles)
    {
        public override string ToString() => $"{Seconds.Length} messages, median {Seconds[Seconds.Length / 2] * 1000:0} ms, "
            + $"95 of 100 within {Seconds[Seconds.Length * 95 / 100] * 1000:0} ms";
    }
}
