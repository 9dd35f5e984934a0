using System.IO.Pipelines;
using System.Text;
using Sallyport.Server.Identity.Directories.Servers;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Servers;

/// <summary>
/// A server in memory that follows a script: "S:" what it says, "C:" what it must be told, "TLS" where the client must begin TLS.
/// {CR}, {LF} and {a*500} stand for octets; "{-}" at the end of a line is no CRLF.
/// </summary>
internal sealed class ScriptedServer
{
    private readonly Pipe _toServer = new();
    private readonly Pipe _toClient = new();

    public ScriptedServer() => Client = new LineConnection(new PipeStream(_toClient.Reader, _toServer.Writer), Secure);

    public LineConnection Client { get; }

    public bool BeganTls { get; private set; }

    public static CancellationToken Soon => TestContext.Current.CancellationToken;

    /// <summary>Plays to the end of the script, then closes.</summary>
    public async Task PlayAsync(string script)
    {
        using var told = new StreamReader(_toServer.Reader.AsStream(), Encoding.UTF8);
        foreach (var line in script.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimStart()))
        {
            switch (line[..2])
            {
                case "S:":
                    await _toClient.Writer.WriteAsync(Octets(line[2..].TrimStart()), Soon);
                    break;
                case "C:":
                    var heard = await told.ReadLineAsync(Soon);
                    if (heard != line[3..])
                    {
                        throw new InvalidOperationException($"the client said {heard}, and not {line[3..]}");
                    }

                    break;
                default:
                    break;
            }
        }

        await _toClient.Writer.CompleteAsync();
    }

    /// <summary>Plays the script against one whole login.</summary>
    public async Task<string> JudgeAsync(IMailboxLogin client, string script, string login, string password, bool startTls)
    {
        var playing = PlayAsync(script);
        await client.BeginAsync(startTls, Soon);
        var verdict = await client.LogInAsync(login, password, Soon);
        await playing;
        return verdict.ToString();
    }

    private Task<Stream> Secure(Stream stream, CancellationToken cancel)
    {
        BeganTls = true;
        return Task.FromResult(stream);
    }

    private static byte[] Octets(string text)
    {
        var line = text.EndsWith("{-}", StringComparison.Ordinal) ? text[..^3] : text + "\r\n";
        line = line.Replace("{CR}", "\r", StringComparison.Ordinal).Replace("{LF}", "\n", StringComparison.Ordinal);
        var times = line.IndexOf("{a*", StringComparison.Ordinal);
        if (times >= 0)
        {
            var end = line.IndexOf('}', times);
            line = line[..times] + new string('a', int.Parse(line[(times + 3)..end])) + line[(end + 1)..];
        }

        return Encoding.UTF8.GetBytes(line);
    }
}
