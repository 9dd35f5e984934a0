using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Sallyport.EndToEnd.Harness;

/// <summary>A client that says exactly what a test wants, octet for octet.</summary>
internal sealed class RawSession : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TcpClient _client;
    private Stream _stream;
    private StreamReader _reader;
    private string _login = SallyportServer.Login;

    private RawSession(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
        _reader = new StreamReader(_stream, Encoding.UTF8);
    }

    /// <summary>Connects and reads the greeting.</summary>
    /// <param name="from">The loopback address to come from.</param>
    public static async Task<(RawSession Session, string Greeting)> OpenAsync(int port, bool tls, string from = "127.0.0.1")
    {
        var client = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0)) { NoDelay = true };
        await client.ConnectAsync("127.0.0.1", port);
        var session = new RawSession(client);
        if (tls)
        {
            await session.StartTlsAsync();
        }

        return (session, await session.ReadAsync());
    }

    /// <summary>Connected, greeted and logged in over implicit TLS.</summary>
    public static async Task<RawSession> LoggedInAsync(
        SallyportServer server, string from = "127.0.0.1", string login = SallyportServer.Login, string password = SallyportServer.Password)
    {
        var (session, _) = await OpenAsync(server.ImplicitTlsPort, tls: true, from);
        session._login = login;
        await session.SayAsync("EHLO client.test");
        var secret = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{login}\0{password}"));
        var reply = await session.SayAsync("AUTH PLAIN " + secret);
        return reply.StartsWith("235", StringComparison.Ordinal) ? session : throw new IOException(reply);
    }

    public async Task StartTlsAsync()
    {
        var tls = new SslStream(_stream, false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("msa.test").WaitAsync(Patience);
        _stream = tls;
        _reader = new StreamReader(_stream, Encoding.UTF8);
    }

    public async Task WriteAsync(string octets) => await _stream.WriteAsync(Encoding.UTF8.GetBytes(octets)).AsTask().WaitAsync(Patience);

    /// <summary>Sends one line and reads its whole reply, lines joined with \n.</summary>
    public async Task<string> SayAsync(string line)
    {
        await WriteAsync(line + "\r\n");
        return await ReadAsync();
    }

    /// <summary>The next reply; empty when the other side has closed.</summary>
    public async Task<string> ReadAsync()
    {
        var lines = new List<string>();
        while (await _reader.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            lines.Add(line);
            if (line.Length < 4 || line[3] != '-')
            {
                break;
            }
        }

        return string.Join('\n', lines);
    }

    /// <summary>A whole message in one round trip and one for its content. Returns the reply to the final dot.</summary>
    public Task<string> SubmitAsync(string token, string to = "bob@example.test", string body = "text\r\n") => SubmitAsync(token, [to], body);

    public async Task<string> SubmitAsync(string token, IReadOnlyCollection<string> to, string body = "text\r\n")
    {
        await WriteAsync($"MAIL FROM:<{_login}>\r\n{string.Concat(to.Select(one => $"RCPT TO:<{one}>\r\n"))}DATA\r\n");
        for (var i = 0; i < to.Count + 2; i++)
        {
            var reply = await ReadAsync();
            if (reply.Length == 0 || reply[0] is not ('2' or '3'))
            {
                return reply;
            }
        }

        return await SayAsync(
            $"From: <{_login}>\r\nTo: <{to.First()}>\r\nSubject: {token}\r\nMessage-ID: <{token}@client.test>\r\n\r\n{body}.");
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _stream.DisposeAsync();
        }
        catch (IOException)
        {
            // The other side was killed.
        }

        _reader.Dispose();
        _client.Dispose();
    }
}
