using System.Collections.Concurrent;
using System.Net.Sockets;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>kill -9 at load: what got a 250 arrives.</summary>
public sealed class CrashTests
{
    private const int Messages = 5000;
    private const int Clients = 20;
    private const int MessagesPerSession = 25;

    // The default of connections_max: so many replies of the next hop can be unrecorded at once.
    private const int RelayConnectionsMax = 20;

    [Fact]
    public async Task Each_message_that_got_a_250_arrives_once_or_was_in_flight_at_the_kill()
    {
        await using var sink = Sink.Started();
        await using var server = await SallyportServer.StartAsync(_ => $"""
            [[route]]
            recipients = ["*"]
            smarthost = "127.0.0.1:{sink.Port}"
            tls = "none"
            [relay]
            retry_first = "1s"
            """);
        var tokens = new ConcurrentQueue<string>(Enumerable.Range(0, Messages).Select(i => $"m{i:0000}"));
        var promised = new ConcurrentBag<string>();
        var up = new TaskCompletionSource();
        var killed = KillAndRestartAsync(server, promised, up);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => SubmitAllAsync(server, tokens, promised, up.Task))));
        await killed;

        await Tool.UntilAsync(() => Counts(sink) is var counts && promised.All(counts.ContainsKey), "all promised messages arrive",
            TimeSpan.FromSeconds(90), () => $"{promised.Count} promised, {sink.Messages.Count} arrived");
        await EmptyQueueAsync(server);
        var counts = Counts(sink);
        Assert.True(promised.Count > Messages * 9 / 10, $"only {promised.Count} of {Messages} were promised: the load was not one");
        Assert.DoesNotContain(counts, count => count.Value > 2);
        var twice = counts.Count(count => count.Value == 2);
        Assert.True(twice <= RelayConnectionsMax, $"{twice} arrived twice");
    }

    private static Dictionary<string, int> Counts(Sink sink) =>
        sink.Messages.GroupBy(message => message.Header("Subject")).ToDictionary(group => group.Key, group => group.Count());

    private static async Task KillAndRestartAsync(SallyportServer server, ConcurrentBag<string> promised, TaskCompletionSource up)
    {
        await Tool.UntilAsync(() => promised.Count >= Messages / 2, "half of the load", TimeSpan.FromMinutes(3), () => server.Log[..2000]);
        server.Kill();
        await server.RunAsync();
        up.SetResult();
    }

    /// <summary>One client after the other in this lane; one that loses its server goes on with the next message when it is back.</summary>
    private static async Task SubmitAllAsync(SallyportServer server, ConcurrentQueue<string> tokens, ConcurrentBag<string> promised, Task up)
    {
        while (!tokens.IsEmpty)
        {
            try
            {
                await using var session = await RawSession.LoggedInAsync(server);
                for (var i = 0; i < MessagesPerSession && tokens.TryDequeue(out var token); i++)
                {
                    var reply = await session.SubmitAsync(token);
                    if (!reply.StartsWith("250", StringComparison.Ordinal))
                    {
                        break;
                    }

                    promised.Add(token);
                }
            }
            catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
            {
                await up.WaitAsync(TimeSpan.FromMinutes(2));
            }
        }
    }

    private static async Task EmptyQueueAsync(SallyportServer server)
    {
        var left = "";
        for (var i = 0; i < 60 && !left.Contains("The queue is empty", StringComparison.Ordinal); i++)
        {
            left = (await server.CommandAsync(["queue", "list"])).All;
        }

        Assert.Contains("The queue is empty", left);
    }
}
