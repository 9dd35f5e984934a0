using System.Diagnostics;
using Sallyport.EndToEnd.Harness;
using Xunit;

namespace Sallyport.EndToEnd;

/// <summary>What a client or an operator's copied text can try is no fault of the server, in the log and on the terminal.</summary>
public sealed class HostileClientTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_renegotiation_of_TLS_ends_the_session_and_is_no_problem_of_ours()
    {
        var openssl = Peers.Require("openssl");
        await using var server = await SallyportServer.StartAsync();
        var address = $"127.0.0.1:{server.ImplicitTlsPort}";
        using (var client = Process.Start(Tool.Start(openssl, ["s_client", "-connect", address, "-tls1_2"]))!)
        {
            while (await Tool.LineAsync(client) is { } line && !line.StartsWith("220 ", StringComparison.Ordinal))
            {
                // What it says of the certificate.
            }

            await client.StandardInput.WriteAsync("R\n"); // its own command, where it is the first letter of what it reads
            await client.StandardInput.FlushAsync(Cancel);
            while (await Tool.LineAsync(client) is { } line && line != "RENEGOTIATING")
            {
                // The rest of the greeting.
            }

            client.StandardInput.Close();
            await Tool.EndAsync(client);
        }

        await Tool.UntilAsync(() => server.Log.Contains(" disconnected after ", StringComparison.Ordinal), "the session ends");
        await using var session = await RawSession.LoggedInAsync(server);
        Assert.StartsWith("250", await session.SubmitAsync("after-renegotiation"));
        Assert.DoesNotContain("PROBLEM", server.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("queue", "show")]
    [InlineData("queue", "hold")]
    [InlineData("user", "disable")]
    [InlineData("grants", "of")]
    public async Task What_was_typed_is_never_sent_to_the_terminal_as_it_is(string verb, string action)
    {
        await using var server = await SallyportServer.StartAsync();
        var said = await server.CommandAsync([verb, action, "a\u001b[31m\u202eb"]);
        Assert.NotEqual(0, said.ExitCode);
        Assert.DoesNotContain('\u001b', said.All);
        Assert.DoesNotContain('\u202e', said.All);
    }

    [Fact]
    public async Task An_unknown_command_is_named_without_moving_the_cursor()
    {
        var said = await Tool.RunAsync(Peers.Binary(), ["\u001b[31m"]);
        Assert.Equal(2, said.ExitCode);
        Assert.DoesNotContain('\u001b', said.All);
    }
}
