using System.Diagnostics;
using System.Text.Json;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>The commands as an administrator, or a script of his, meets them.</summary>
public sealed class OperatorTests
{
    [Theory]
    [InlineData("bob@example.test", 0, "relayed", "Relayed to 127.0.0.1")]
    [InlineData("busy@example.test", 1, "deferred", "Deferred; next attempt at")]
    [InlineData("gone@example.test", 1, "failed", "550 5.1.1 Nobody of that name")]
    public async Task Send_test_says_what_became_of_the_message(string to, int code, string state, string words)
    {
        await using var sink = Sink.Started();
        sink.OnRecipient = address => address switch
        {
            "busy@example.test" => "450 4.2.1 Mailbox busy",
            "gone@example.test" => "550 5.1.1 Nobody of that name",
            _ => "250 2.1.5 Ok",
        };
        await using var server = await SallyportServer.StartAsync(_ => $"""
            [[route]]
            recipients = ["*"]
            smarthost = "127.0.0.1:{sink.Port}"
            tls = "none"
            """);
        var sent = await server.CommandAsync(["send-test", "--login", SallyportServer.Login, "--to", to, "--json"], SallyportServer.Password + "\n");
        Assert.True(sent.ExitCode == code, sent.All);
        using var report = JsonDocument.Parse(sent.Output);
        Assert.Equal(state, report.RootElement.GetProperty("state").GetString());
        Assert.Contains(words, report.RootElement.GetProperty("outcome").GetString());
        await Tool.UntilAsync(() => server.Log.Contains("disconnected after 1 message: QUIT", StringComparison.Ordinal)
            || server.Log.Contains("disconnected after 1 message: ", StringComparison.Ordinal), "the end of the session", null, () => server.Log);
    }

    [Fact]
    public async Task A_wrong_password_is_told_in_the_servers_words_and_the_users()
    {
        await using var server = await SallyportServer.StartAsync();
        var sent = await server.CommandAsync(["send-test", "--login", SallyportServer.Login, "--to", "bob@example.test"], "a wrong password\n");
        Assert.Equal(1, sent.ExitCode);
        Assert.Contains("535 5.7.8", sent.Output);
        Assert.Contains($"The server did not accept the login {SallyportServer.Login}", sent.Output);
        Assert.DoesNotContain("route", sent.Output);
    }

    [Fact]
    public async Task A_log_file_that_cannot_be_opened_stops_the_start_with_the_reason()
    {
        await using var server = await SallyportServer.StartAsync();
        await server.StopAsync();
        File.AppendAllText(server.ConfigFile, "[log]\nfile = \"nowhere/x.log\"\n");
        var started = await server.CommandAsync(["serve"]);
        Assert.Equal(2, started.ExitCode);
        Assert.Contains($"log.file: there is no directory {server.Folder.Of("nowhere")}", started.Error);
    }

    [Theory]
    [InlineData(2, "\"no\" is not a queue id", "queue", "show", "no")]
    [InlineData(1, "no message NOSUCHID is in the queue", "queue", "show", "nosuchid")]
    [InlineData(2, "\"no\" is not a queue id", "queue", "hold", "NOSUCHID", "no")]
    [InlineData(2, "\\\"x@\\\" looks like a mail address", "user", "add", "x@")]
    [InlineData(2, "--most must be a whole number from 1 to 10000", "queue", "list", "--most", "all")]
    public async Task What_fails_is_JSON_too_where_JSON_was_asked_for(int code, string message, params string[] arguments)
    {
        await using var server = await SallyportServer.StartAsync();
        var failed = await server.CommandAsync([.. arguments, "--json"]);
        Assert.True(failed.ExitCode == code, failed.All);
        Assert.Equal("", failed.Error);
        using var report = JsonDocument.Parse(failed.Output);
        Assert.False(report.RootElement.GetProperty("done").GetBoolean());
        Assert.Contains(message.Replace("\\\"", "\"", StringComparison.Ordinal), report.RootElement.GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_wrong_configuration_is_told_as_JSON_by_every_command()
    {
        using var folder = new TestFolder();
        var config = folder.Write("bad.toml", "hostname = 7\n");
        var failed = await Tool.RunAsync(Peers.Binary(), ["queue", "list", "--json", "--config", config]);
        Assert.Equal(2, failed.ExitCode);
        using var report = JsonDocument.Parse(failed.Output);
        Assert.Contains(report.RootElement.GetProperty("problems").EnumerateArray(), problem => problem.GetProperty("key").GetString() == "hostname");
    }

    [Fact]
    public async Task Nothing_typed_ends_in_a_stack_trace()
    {
        using var folder = new TestFolder();
        folder.Write("sallyport.toml", "hostname = \"smtp.acme.test\"\n");
        foreach (var arguments in (string[][])[["check", "-c", ""], ["quickstart", "--port", "1600", "--tls-port", "1600"],
            ["quickstart", "--data", folder.Path], ["check", "-c", folder.Path]])
        {
            var failed = await Tool.RunAsync(Peers.Binary(), arguments);
            Assert.True(failed.ExitCode == 2, string.Join(' ', arguments) + failed.All);
            Assert.DoesNotContain("   at ", failed.All);
        }

        Assert.Equal("hostname = \"smtp.acme.test\"\n", File.ReadAllText(folder.Of("sallyport.toml")));
    }

    [Fact]
    public async Task Quickstart_runs_in_a_directory_with_a_quote_and_a_blank_in_its_name()
    {
        using var folder = new TestFolder();
        var data = folder.Of("my \"quick\" one");
        using var process = Process.Start(Tool.Start(Peers.Binary(),
            ["quickstart", "--data", data, "--port", $"{Peers.FreePort()}", "--tls-port", $"{Peers.FreePort()}"]))!;
        try
        {
            var printed = "";
            while (!printed.Contains("Other commands", StringComparison.Ordinal))
            {
                printed += await Tool.LineAsync(process) ?? throw new InvalidOperationException(printed + await Tool.ErrorsAsync(process));
            }

            Assert.Contains($"{Peers.Binary()} queue list --config '{data}/sallyport.toml'", printed);
        }
        finally
        {
            process.Kill();
            await Tool.EndAsync(process);
        }
    }

    [Fact]
    public async Task What_root_makes_in_the_data_directory_belongs_to_its_owner()
    {
        Peers.RequireRoot();
        using var folder = new TestFolder();
        await Tool.RunAsync("install", ["-d", "-m", "700", "-o", "nobody", folder.Of("data")]);
        var config = folder.Write("sallyport.toml", """
            hostname = "msa.test"
            data = "data"
            [[listener]]
            address = "127.0.0.1:1"
            tls = "none"
            [[route]]
            recipients = ["*"]
            capture = "capture"
            """);
        var added = await Tool.RunAsync(Peers.Binary(), ["user", "add", "jane", "--config", config], "a long enough password\n");
        Assert.True(added.ExitCode == 0, added.All);
        foreach (var file in Directory.GetFiles(folder.Of("data")))
        {
            Assert.Equal("nobody\n", (await Tool.RunAsync("stat", ["-c", "%U", file])).Output);
        }

        await Tool.RunAsync("chown", ["root", folder.Of("data/lock"), folder.Of("data/sallyport.db")]);
        var refused = await Tool.RunAsync("setpriv", ["--reuid=nobody", "--clear-groups", Peers.Binary(), "user", "list", "--config", config]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("belongs to root, and this runs as nobody: as root, `chown -R nobody: ", refused.Error);
    }
}
