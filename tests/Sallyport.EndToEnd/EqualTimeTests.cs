using System.Diagnostics;
using System.Text;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>Who asks whether a login exists learns nothing: not from the reply, and not from the time it takes.</summary>
public sealed class EqualTimeTests
{
    private const int GuessesPerLogin = 5;

    [Theory]
    [InlineData("ldap", 1000, 25)]
    [InlineData("local", 40, 2)] // each is a password hash
    public async Task Guesses_at_known_and_unknown_logins_are_answered_alike(string directory, int each, int atOnce)
    {
        var logins = each / GuessesPerLogin;
        using var folder = new TestFolder();
        await using var slapd = directory == "local" ? null : await Slapd.StartAsync(
            folder, new Certificates(folder), "slapd", LdapTrees.OpenLdap, LdapTrees.OpenLdapPeople + "\n" + LdapTrees.MorePeople(logins, "right"));
        await using var server = await SallyportServer.StartAsync(guard: """
            never_ban = ["127.0.0.0/8"]
            delay_max = "0s"
            """, more: $"""
            [limits]
            connections_per_address = 1000
            {(slapd is null ? "" : $"""
            [[directory]]
            name = "site"
            type = "ldap"
            preset = "openldap"
            url = "{slapd.Url}"
            base = "dc=acme,dc=test"
            """)}
            """);
        for (var i = 0; slapd is null && i < logins; i++)
        {
            await server.CommandAsync(["user", "add", $"u{i:00}"], "right\n");
        }

        // Each login is guessed at from a network of its own, as often as is answered before it must wait.
        var guesses = Enumerable.Range(0, 2 * each).ToList();
        Random.Shared.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(guesses));
        var answers = new (string Reply, double Milliseconds)[guesses.Count];
        await Parallel.ForEachAsync(guesses, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (n, _) =>
        {
            var login = (n % 2 == 0 ? "u" : "x") + (n / 2 % logins).ToString("00");
            answers[n] = await GuessAsync(server, $"127.1.{n % 2}.{1 + (n / 2 % logins)}", login, $"guess {n}");
        });
        var known = answers.Where((_, n) => n % 2 == 0).ToList();
        var unknown = answers.Where((_, n) => n % 2 == 1).ToList();
        Assert.Equal(Replies(known), Replies(unknown));
        Assert.Equal(each, known.Count(answer => answer.Reply.StartsWith("535 5.7.8", StringComparison.Ordinal)));
        TestContext.Current.TestOutputHelper?.WriteLine($"{directory}: known {Spread(known)}; unknown {Spread(unknown)}");
    }

    private static List<string> Replies(IEnumerable<(string Reply, double)> answers) =>
        [.. answers.GroupBy(answer => answer.Reply).Select(group => $"{group.Count()} {group.Key}").Order(StringComparer.Ordinal)];

    private static string Spread(IEnumerable<(string, double Milliseconds)> answers)
    {
        var sorted = answers.Select(answer => answer.Milliseconds).Order().ToList();
        return $"median {sorted[sorted.Count / 2]:0.0} ms, a quarter below {sorted[sorted.Count / 4]:0.0}, "
            + $"a quarter above {sorted[sorted.Count * 3 / 4]:0.0}";
    }

    private static async Task<(string Reply, double Milliseconds)> GuessAsync(SallyportServer server, string from, string login, string password)
    {
        var (session, _) = await RawSession.OpenAsync(server.ImplicitTlsPort, tls: true, from);
        await using (session)
        {
            await session.SayAsync("EHLO client.test");
            var began = Stopwatch.GetTimestamp();
            var reply = await session.SayAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}")));
            return (reply, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
    }
}
