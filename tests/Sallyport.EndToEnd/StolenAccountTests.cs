using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>A stolen account sends to 5,000 people it has never written to: it is stopped in tens, and all of it is one command's.</summary>
public sealed class StolenAccountTests
{
    private const int Recipients = 5000;
    private const int LetGoMax = 50;
    private const string Secret = "a secret of the hook";
    private const string Thief = "127.0.0.2";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(50, 1)]
    [InlineData(1, 100)]
    public async Task It_is_stopped_in_tens_and_all_of_it_is_dropped_in_one_command(int sessions, int each)
    {
        await using var sink = Sink.Started();
        await using var hook = new HookListener();
        var metrics = Peers.FreePort();
        await using var server = await StartAsync(sink, hook, metrics);
        await server.CommandAsync(["user", "add", "bob@acme.test"], SallyportServer.Password + "\n");
        await SendAsync(server, sessions, each, SallyportServer.Login);
        await using (var bob = await RawSession.LoggedInAsync(server, "127.0.0.3", "bob@acme.test"))
        {
            Assert.StartsWith("250 ", await bob.SubmitAsync("frombob", "carol@example.test"));
        }

        await Tool.UntilAsync(() => Of(sink, "carol@example.test") == 1, "another's mail", null, () => server.Log);
        await AlertedAsync(server, sink, hook, metrics);
        await QueueEmptiesButForHeldAsync(server);
        Assert.InRange(Fresh(sink), 0, LetGoMax);

        server.Kill();
        await server.RunAsync();
        await using (var thief = await RawSession.LoggedInAsync(server, Thief))
        {
            Assert.StartsWith("250 ", await thief.SubmitAsync("more", "more@fresh.test"));
        }

        await server.LoggedAsync("HELD of login jane@acme.test: stopped by the breaker at");
        Assert.Contains("held", (await server.CommandAsync(["explain", "--login", SallyportServer.Login, "--from", SallyportServer.Login, "--to",
            "x@fresh.test"])).Output);
        var asked = await server.CommandAsync(["hold", "drop", SallyportServer.Login], "");
        Assert.Equal(1, asked.ExitCode);
        Assert.Contains("give --yes to do it", asked.Error);
        var dropped = await server.CommandAsync(["hold", "drop", SallyportServer.Login, "--yes"]);
        Assert.True(dropped.ExitCode == 0, dropped.All);
        Assert.Contains("Nothing is held.", (await server.CommandAsync(["hold", "list"])).Output);
        await QueueEmptiesButForHeldAsync(server);
        Assert.InRange(Fresh(sink), 0, LetGoMax);
        Assert.Contains("stopped", (await server.CommandAsync(["login", "list"])).Output);
        Assert.Equal(0, (await server.CommandAsync(["login", "resume", SallyportServer.Login])).ExitCode);
        Assert.Contains("No login is kept from sending.", (await server.CommandAsync(["login", "list"])).Output);
    }

    [Fact]
    public async Task What_was_held_by_mistake_is_released_in_one_command_and_all_of_it_arrives()
    {
        await using var sink = Sink.Started();
        await using var hook = new HookListener();
        await using var server = await StartAsync(sink, hook, Peers.FreePort());
        await SendAsync(server, 20, 1, SallyportServer.Login);
        await QueueEmptiesButForHeldAsync(server);
        var before = Fresh(sink);
        Assert.InRange(before, 1, LetGoMax);
        using var held = JsonDocument.Parse((await server.CommandAsync(["hold", "list", "--json"])).Output);
        Assert.Equal(Recipients - before, held.RootElement.EnumerateArray().Sum(group => group.GetProperty("messages").GetInt32()));
        var released = await server.CommandAsync(["hold", "release", SallyportServer.Login, "--trust"]);
        Assert.True(released.ExitCode == 0, released.All);
        Assert.Contains($"{Recipients - before} messages of jane@acme.test released", released.Output);
        await Tool.UntilAsync(() => Fresh(sink) == Recipients, "all that was released", TimeSpan.FromMinutes(2), () => $"{Fresh(sink)} arrived");
        await using var session = await RawSession.LoggedInAsync(server, Thief);
        for (var i = 0; i < 100; i++)
        {
            Assert.StartsWith("250 ", await session.SubmitAsync("again", $"again{i}@fresh.test"));
        }

        Assert.Contains("No login is kept from sending.", (await server.CommandAsync(["login", "list"])).Output);
    }

    [Fact]
    public async Task A_newsletter_with_a_raised_limit_is_not_touched()
    {
        await using var sink = Sink.Started();
        await using var hook = new HookListener();
        await using var server = await StartAsync(sink, hook, Peers.FreePort(), """
            [[breaker.for]]
            who = ["newsletter@acme.test"]
            first_contacts_per_day = 20000
            """);
        await server.CommandAsync(["user", "add", "newsletter@acme.test"], SallyportServer.Password + "\n");
        await SendAsync(server, 20, 1, "newsletter@acme.test");
        await Tool.UntilAsync(() => Fresh(sink) == Recipients, "the newsletter", TimeSpan.FromMinutes(2), () => $"{Fresh(sink)} arrived");
        Assert.Contains("Nothing is held.", (await server.CommandAsync(["hold", "list"])).Output);
        Assert.Empty(hook.Posts);
    }

    [Fact]
    public async Task An_application_on_this_machine_is_not_touched_as_configured_by_default()
    {
        await using var sink = Sink.Started();
        await using var server = await SallyportServer.StartAsync(_ => RouteTo(sink));
        await using var application = await RawSession.LoggedInAsync(server);
        for (var i = 0; i < 20; i++)
        {
            Assert.StartsWith("250 ", await application.SubmitAsync("app", [.. Enumerable.Range(0, 50).Select(n => $"u{i}x{n}@fresh.test")]));
        }

        await Tool.UntilAsync(() => Fresh(sink) == 1000, "all of it", TimeSpan.FromMinutes(1), () => $"{Fresh(sink)} arrived");
    }

    [Fact]
    public async Task A_test_alert_goes_every_way_and_a_way_that_is_shut_is_told()
    {
        await using var sink = Sink.Started();
        await using var hook = new HookListener();
        await using var server = await StartAsync(sink, hook, Peers.FreePort());
        var tested = await server.CommandAsync(["alert", "test"]);
        Assert.True(tested.ExitCode == 0, tested.All);
        Assert.Contains("\"kind\":\"test\"", hook.Posts.Single().Body);
        await Tool.UntilAsync(() => Of(sink, "postmaster@ops.test") == 1, "the mail", null, () => server.Log);
        await hook.DisposeAsync();
        var shut = await server.CommandAsync(["alert", "test"]);
        Assert.Equal(1, shut.ExitCode);
        Assert.Contains("Connection refused", shut.Output);
    }

    [Fact]
    public async Task A_suspended_login_sends_nothing_from_its_next_message_on_over_a_restart_too()
    {
        await using var server = await SallyportServer.StartAsync();
        await using (var session = await RawSession.LoggedInAsync(server))
        {
            Assert.StartsWith("250 ", await session.SubmitAsync("before"));
            var suspended = await server.CommandAsync(["login", "suspend", "Jane@acme.test", "--why", "your password was stolen", "--for", "2h"]);
            Assert.True(suspended.ExitCode == 0, suspended.All);
            Assert.StartsWith("550 5.7.13 jane@acme.test may not send for now: your password was stolen; ask ", await session.SubmitAsync("after"));
        }

        await server.StopAsync();
        await server.RunAsync();
        await using var again = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("550 5.7.13 ", await again.SubmitAsync("restarted"));
        var explained = await server.CommandAsync(["explain", "--login", SallyportServer.Login, "--from", SallyportServer.Login, "--to", "x@y.test"]);
        Assert.Equal(1, explained.ExitCode);
        Assert.Contains("suspension", explained.Output);
        Assert.Equal(0, (await server.CommandAsync(["login", "resume", SallyportServer.Login])).ExitCode);
        await using var resumed = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("250 ", await resumed.SubmitAsync("resumed"));
    }

    private static async Task<SallyportServer> StartAsync(Sink sink, HookListener hook, int metrics, string more = "")
    {
        var folder = new TestFolder();
        folder.Write("hook.secret", Secret + "\n");
        return await SallyportServer.StartAsync(_ => RouteTo(sink), within: folder, more: $"""
            [breaker]
            trusted_networks = []
            {more}
            [alert]
            mail = ["postmaster@ops.test"]
            webhook = "{hook.Address}"
            webhook_secret_file = "hook.secret"
            [metrics]
            address = "127.0.0.1:{metrics}"
            """);
    }

    private static string RouteTo(Sink sink) => $"""
        [[route]]
        recipients = ["*"]
        smarthost = "127.0.0.1:{sink.Port}"
        tls = "none"
        """;

    /// <summary>All of it, to as many people, from so many sessions at once.</summary>
    private static async Task SendAsync(SallyportServer server, int sessions, int each, string login)
    {
        var messages = new ConcurrentQueue<string[]>(Enumerable.Range(0, Recipients).Select(n => $"victim{n}@fresh.test").Chunk(each));
        await Task.WhenAll(Enumerable.Range(0, sessions).Select(n => Task.Run(async () =>
        {
            await using var session = await RawSession.LoggedInAsync(server, Thief, login);
            while (messages.TryDequeue(out var to))
            {
                Assert.StartsWith("250 ", await session.SubmitAsync("stolen", to));
            }
        }, Cancel)));
    }

    private static async Task AlertedAsync(SallyportServer server, Sink sink, HookListener hook, int metrics)
    {
        await Tool.UntilAsync(() => hook.Posts.Count == 1 && Of(sink, "postmaster@ops.test") == 1, "the alert", null, () => server.Log);
        var (body, signature) = hook.Posts.Single();
        var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(body));
        Assert.Equal("sha256=" + Convert.ToHexStringLower(expected), signature);
        using var alert = JsonDocument.Parse(body);
        Assert.Equal("jane@acme.test", alert.RootElement.GetProperty("about").GetString());
        Assert.Equal("127.0.0.2", alert.RootElement.GetProperty("evidence").GetProperty("client").GetString());
        var mail = sink.Messages.Single(message => message.Recipients.Contains("postmaster@ops.test"));
        Assert.Equal("", mail.From);
        Assert.Contains("sallyport hold drop jane@acme.test", mail.Content);
        await server.LoggedAsync("STOPPED jane@acme.test, last from 127.0.0.2: ");
        using var http = new HttpClient();
        var numbers = await http.GetStringAsync(new Uri($"http://127.0.0.1:{metrics}/metrics"), Cancel);
        Assert.Contains("sallyport_breaker_trips_total{sign=\"first_contacts_per_hour\"} 1\n", numbers);
        Assert.Contains("sallyport_breaker_stopped_logins 1\n", numbers);
        Assert.Contains("sallyport_alerts_total{way=\"webhook\",outcome=\"sent\"} 1\n", numbers);
        var refused = await http.PostAsync(new Uri($"http://127.0.0.1:{metrics}/v1/status"), new StringContent("{}"), Cancel);
        Assert.Equal(404, (int)refused.StatusCode);
        var listed = await server.CommandAsync(["hold", "list"]);
        Assert.Contains("jane@acme.test: ", listed.Output);
        Assert.Contains("stopped by the breaker at", listed.Output);
    }

    private static async Task QueueEmptiesButForHeldAsync(SallyportServer server)
    {
        for (var left = -1; left != 0;)
        {
            using var waiting = JsonDocument.Parse((await server.CommandAsync(["queue", "list", "--state", "progress", "--json"])).Output);
            using var due = JsonDocument.Parse((await server.CommandAsync(["queue", "list", "--state", "due", "--json"])).Output);
            left = waiting.RootElement.GetArrayLength() + due.RootElement.GetArrayLength();
        }
    }

    private static int Of(Sink sink, string recipient) => sink.Messages.Count(message => message.Recipients.Contains(recipient));

    private static int Fresh(Sink sink) =>
        sink.Messages.Sum(message => message.Recipients.Count(to => to.EndsWith("@fresh.test", StringComparison.Ordinal)));
}
