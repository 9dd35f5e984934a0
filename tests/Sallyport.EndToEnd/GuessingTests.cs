using System.Text;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>Somebody guesses passwords, from several addresses; the users notice nothing.</summary>
public sealed class GuessingTests
{
    private const string Brisk = "failure_floor = \"10ms\"\ndelay_max = \"0s\"";

    [Fact]
    public async Task Who_guesses_at_a_login_gets_nowhere_and_its_user_logs_in_as_ever()
    {
        await using var server = await SallyportServer.StartAsync(guard: Brisk);
        await LogInAsync(server);
        var replies = new List<string>();
        for (var i = 0; i < 60; i++)
        {
            replies.Add(await GuessAsync(server, $"127.0.1.{1 + (i % 6)}", SallyportServer.Login, $"guess {i}"));
        }

        Assert.Equal(6, replies.Count(reply => reply.StartsWith("535 5.7.8", StringComparison.Ordinal)));
        Assert.All(replies.Skip(6), reply => Assert.StartsWith("454 4.7.0", reply, StringComparison.Ordinal));
        await server.LoggedAsync("jane@acme.test is under attack");
        await LogInAsync(server);
    }

    [Fact]
    public async Task A_network_that_tries_one_password_on_many_logins_is_banned_until_the_operator_says_otherwise()
    {
        await using var server = await SallyportServer.StartAsync(guard: Brisk);
        for (var i = 0; i < 20; i++)
        {
            Assert.StartsWith("535", await GuessAsync(server, "127.0.2.1", $"user{i}@acme.test", "Summer2026"));
        }

        await Tool.UntilAsync(() => server.Log.Contains("BANNED 127.0.2.1 until ", StringComparison.Ordinal), "the ban", null, () => server.Log);
        var (refused, greeting) = await RawSession.OpenAsync(server.SubmissionPort, tls: false, "127.0.2.1");
        await using (refused)
        {
            Assert.StartsWith("421 4.7.0", greeting);
        }

        await LogInAsync(server);
        Assert.Contains("127.0.2.1", (await server.CommandAsync(["bans", "list"])).Output);
        server.Kill();
        await server.RunAsync();
        Assert.Contains("\"network\": \"127.0.2.1\"", (await server.CommandAsync(["bans", "list", "--json"])).Output);
        Assert.Equal(0, (await server.CommandAsync(["bans", "remove", "127.0.2.1"])).ExitCode);
        Assert.StartsWith("535", await GuessAsync(server, "127.0.2.1", "another@acme.test", "Summer2026"));
    }

    [Fact]
    public async Task A_phone_with_an_old_password_is_listed_as_that_and_bans_nobody()
    {
        await using var server = await SallyportServer.StartAsync(guard: Brisk);
        for (var i = 0; i < 40; i++)
        {
            Assert.StartsWith("535", await GuessAsync(server, "127.0.0.1", SallyportServer.Login, "the old password"));
        }

        Assert.Equal(2, server.Log.Split("LOGIN FAILED").Length);
        await server.LoggedAsync("a device with an old password");
        Assert.Contains("No network is banned", (await server.CommandAsync(["bans", "list"])).Output);
        var clients = await server.CommandAsync(["clients", "--json"]);
        Assert.Contains("\"times\": 39", clients.Output);
        await LogInAsync(server);
    }

    private static async Task LogInAsync(SallyportServer server)
    {
        await using var session = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("250", await session.SayAsync("NOOP"));
    }

    private static async Task<string> GuessAsync(SallyportServer server, string from, string login, string password)
    {
        var (session, _) = await RawSession.OpenAsync(server.ImplicitTlsPort, tls: true, from);
        await using (session)
        {
            await session.SayAsync("EHLO client.test");
            return await session.SayAsync("AUTH PLAIN " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}")));
        }
    }
}
