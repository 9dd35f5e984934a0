using System.Diagnostics;
using System.Net.Sockets;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>More connections than files: the server must neither spin nor fall silent.</summary>
public sealed class FileLimitTests
{
    private static readonly string[] With200Files = ["bash", "-c", "ulimit -n 200; exec \"$@\"", "bash"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_few_files_the_server_stays_idle_under_many_connections_says_so_and_serves_who_comes_next()
    {
        Peers.Require("bash");
        await using var server = await SallyportServer.StartAsync(inside: With200Files);
        await server.LoggedAsync("may have 200 files open, so 72 connections");
        var crowd = new List<TcpClient>();
        for (var i = 0; i < 300; i++)
        {
            var client = new TcpClient();
            crowd.Add(client);
            await client.ConnectAsync("127.0.0.1", server.SubmissionPort, Cancel);
        }

        await Tool.UntilAsync(() => server.Log.Split("72 connections are open, the limit in all").Length > 200, "the others are refused");
        using (var process = Process.GetProcessById(server.ProcessId))
        {
            var before = process.TotalProcessorTime;
            await Task.Delay(TimeSpan.FromSeconds(3), Cancel);
            process.Refresh();
            Assert.InRange(process.TotalProcessorTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }

        crowd.ForEach(client => client.Dispose());
        await Tool.UntilAsync(() => server.Log.Split(" disconnected after ").Length > 72, "the crowd has left");
        await using var session = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("250", await session.SubmitAsync("after-the-crowd"));
        Assert.Contains("file limit", (await server.CommandAsync(["doctor"])).Output, StringComparison.Ordinal);
    }
}
