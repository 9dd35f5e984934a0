using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>The first thing a newcomer does: one command, one line copied from what it prints, one message in a Maildir.</summary>
public sealed partial class QuickstartTests
{
    [Theory]
    [InlineData("printf")]
    [InlineData("swaks")]
    public async Task The_printed_line_sends_a_message_that_lies_in_the_Maildir(string line)
    {
        Peers.Require(line == "swaks" ? "swaks" : "curl");
        using var folder = new TestFolder();
        using var process = Process.Start(Tool.Start(Peers.Binary(),
            ["quickstart", "--data", folder.Of("quick"), "--port", $"{Peers.FreePort()}", "--tls-port", $"{Peers.FreePort()}"]))!;
        try
        {
            var printed = new StringBuilder();
            while (!printed.ToString().Contains(" serves localhost on ", StringComparison.Ordinal)
                || !printed.ToString().Contains("Ctrl-C", StringComparison.Ordinal))
            {
                printed.AppendLine(await Tool.LineAsync(process) ?? throw new InvalidOperationException(printed + await Tool.ErrorsAsync(process)));
            }

            var command = Joined().Replace(printed.ToString(), " ").Split('\n').Select(text => text.Trim())
                .First(text => text.StartsWith(line + " ", StringComparison.Ordinal));
            var sent = await Tool.RunAsync("bash", ["-c", command]);
            Assert.True(sent.ExitCode == 0, command + "\n" + sent.All);
            await Tool.UntilAsync(() => SallyportServer.Captured(folder.Of("quick/capture")).Length == 1, "the captured message");
            var kept = File.ReadAllText(SallyportServer.Captured(folder.Of("quick/capture")).Single());
            Assert.Contains("Subject: Hello", kept);
            Assert.Contains("Delivered-To: friend@example.org", kept);
        }
        finally
        {
            process.Kill();
            await Tool.EndAsync(process);
        }
    }

    [GeneratedRegex(@"\\\n\s+")]
    private static partial Regex Joined();
}
