using System.Collections.Concurrent;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>A next hop that misbehaves, on a real clock made short.</summary>
public sealed class SmarthostFailureTests
{
    private const string Short = """
        [relay]
        retry_first = "1s"
        retry_max = "2s"
        warn_after = "3s"
        give_up_after = "6s"
        """;

    private const string Patient = """
        [relay]
        retry_first = "1s"
        retry_max = "2s"
        """;

    [Fact]
    public async Task A_host_that_is_down_gets_the_mail_when_it_is_back()
    {
        await using var sink = Sink.Started();
        sink.Stop();
        await using var server = await SallyportServer.StartAsync(_ => Route(sink), Patient);
        await SubmitAsync(server, "down");
        await LogShowsAsync(server, "deferred for <bob@example.test>");
        Assert.Empty(sink.Messages);
        sink.Start();
        await ArrivesAsync(sink, server, "down");
    }

    [Fact]
    public async Task The_second_host_takes_over_at_once()
    {
        await using var first = Sink.Started();
        await using var second = Sink.Started();
        first.Stop();
        await using var server = await SallyportServer.StartAsync(_ => Route(first, second), "");
        await SubmitAsync(server, "over");
        await ArrivesAsync(second, server, "over");
        Assert.DoesNotContain(" deferred ", server.Log);
    }

    [Fact]
    public async Task A_busy_host_is_tried_again_and_a_refusing_one_makes_a_bounce()
    {
        var tries = new ConcurrentDictionary<string, int>();
        await using var sink = Sink.Started();
        sink.OnRecipient = address => address switch
        {
            "busy@example.test" when tries.AddOrUpdate(address, 1, (_, n) => n + 1) < 3 => "450 4.2.1 Mailbox busy",
            "gone@example.test" => "550 5.1.1 Nobody of that name",
            _ => "250 2.1.5 Ok",
        };
        await using var server = await SallyportServer.StartAsync(_ => Route(sink), Patient);
        await using var session = await RawSession.LoggedInAsync(server);
        await session.WriteAsync($"MAIL FROM:<{SallyportServer.Login}>\r\nRCPT TO:<ok@example.test>\r\nRCPT TO:<busy@example.test>\r\n"
            + "RCPT TO:<gone@example.test>\r\nDATA\r\n");
        for (var i = 0; i < 5; i++)
        {
            Assert.StartsWith(i < 4 ? "250" : "354", await session.ReadAsync());
        }

        Assert.StartsWith("250", await session.SayAsync("From: <jane@acme.test>\r\nSubject: mixture\r\n\r\ntext\r\n."));
        await Tool.UntilAsync(() => sink.Messages.Count == 3, "two deliveries and a bounce", null, () => server.Log);
        Assert.Contains(sink.Messages, m => m.Recipients is ["ok@example.test"]);
        Assert.Contains(sink.Messages, m => m.Recipients is ["busy@example.test"]);
        var bounce = sink.Messages.Single(m => m.From.Length == 0);
        Assert.Equal([SallyportServer.Login], bounce.Recipients);
        Assert.Contains("Diagnostic-Code: smtp; 550 5.1.1 Nobody of that name", bounce.Content);
        Assert.DoesNotContain("busy@example.test", bounce.Content);
        Assert.Equal(3, tries["busy@example.test"]);
    }

    [Fact]
    public async Task A_host_that_refuses_the_content_makes_a_bounce_for_all_its_recipients()
    {
        await using var sink = Sink.Started();
        sink.OnMessage = message => message.From.Length > 0 ? "554 5.7.1 I do not like this" : "250 2.0.0 Taken";
        await using var server = await SallyportServer.StartAsync(_ => Route(sink), Patient);
        await SubmitAsync(server, "disliked");
        await Tool.UntilAsync(() => sink.Messages.Count == 1, "the bounce", null, () => server.Log);
        Assert.Contains("I do not like this", sink.Messages.Single().Content);
    }

    [Fact]
    public async Task A_reply_lost_behind_the_final_dot_is_tried_again_and_marked()
    {
        var lost = 0;
        await using var sink = Sink.Started();
        sink.OnMessage = _ => Interlocked.Increment(ref lost) == 1 ? "" : "250 2.0.0 Taken";
        await using var server = await SallyportServer.StartAsync(_ => Route(sink), Patient);
        await SubmitAsync(server, "twice");
        await Tool.UntilAsync(() => sink.Messages.Count == 2, "the second attempt", null, () => server.Log);
        await LogShowsAsync(server, "the next hop may have it already");
        Assert.Single(sink.Messages.Select(m => m.Header("Message-ID")).Distinct());
    }

    [Fact]
    public async Task A_host_that_never_answers_is_given_up_for_the_next()
    {
        var silent = new TaskCompletionSource<string>();
        await using var first = Sink.Started();
        await using var second = Sink.Started();
        first.OnMail = _ => silent.Task.GetAwaiter().GetResult();
        await using var server = await SallyportServer.StartAsync(_ => Route(first, second), """
            [timeouts]
            relay_command = "1s"
            """);
        await SubmitAsync(server, "silent");
        await ArrivesAsync(second, server, "silent");
        silent.SetResult("250 2.1.0 Ok");
    }

    [Fact]
    public async Task The_sender_is_warned_once_and_told_at_the_end()
    {
        await using var sink = Sink.Started();
        sink.OnRecipient = address => address == SallyportServer.Login ? "250 2.1.5 Ok" : "451 4.3.0 Later please";
        await using var server = await SallyportServer.StartAsync(_ => Route(sink), Short);
        await SubmitAsync(server, "late");
        await Tool.UntilAsync(() => sink.Messages.Count == 2, "warning and bounce", null, () => server.Log);
        var reports = sink.Messages.ToArray();
        Assert.Contains("Action: delayed", reports[0].Content);
        Assert.Contains("Will-Retry-Until: ", reports[0].Content);
        Assert.Contains("Action: failed", reports[1].Content);
        Assert.Contains("Status: 5.4.7", reports[1].Content);
        Assert.Contains("451 4.3.0 Later please", reports[1].Content);
        var queue = await server.CommandAsync(["queue", "list"]);
        Assert.Contains("The queue is empty", queue.Output);
    }

    private static string Route(params Sink[] sinks) => $"""
        [[route]]
        recipients = ["*"]
        smarthost = [{string.Join(", ", sinks.Select(sink => $"\"127.0.0.1:{sink.Port}\""))}]
        tls = "none"
        """;

    private static async Task SubmitAsync(SallyportServer server, string token)
    {
        await using var session = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("250 2.0.0", await session.SubmitAsync(token));
    }

    private static Task ArrivesAsync(Sink sink, SallyportServer server, string token) => Tool.UntilAsync(
        () => sink.Messages.Count(message => message.Header("Subject") == token) == 1, $"{token} arrives", null, () => server.Log);

    private static Task LogShowsAsync(SallyportServer server, string text) =>
        Tool.UntilAsync(() => server.Log.Contains(text, StringComparison.Ordinal), $"the log shows \"{text}\"", null, () => server.Log);
}
