using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sallyport.Server.Configuration;
using Sallyport.Tests.Fakes;

namespace Sallyport.Tests.Server.Relay;

/// <summary>A message a next hop took, as it came over the wire, dots unstuffed.</summary>
internal sealed record HopMessage(int Session, string Mail, ImmutableArray<string> Rcpt, string Content);

/// <summary>
/// A next hop in this process, on a free loopback port. It answers as a good server does unless the test's script says otherwise,
/// and remembers every command it got. "connect" is the moment before the greeting, "." the end of the content.
/// </summary>
internal sealed class ScriptedHop : IAsyncDisposable
{
    /// <summary>As a reply: closes the connection.</summary>
    public const string Drop = "(drop)";

    /// <summary>As a reply: says nothing, and waits for the client to go.</summary>
    public const string Silence = "(silence)";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Signal _signal = new();
    private readonly Task _accepting;
    private readonly CancellationTokenSource _stop = new();
    private ImmutableArray<string> _heard = [];
    private ImmutableArray<HopMessage> _messages = [];
    private int _sessions;
    private int _open;

    public ScriptedHop()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public SmarthostAddress Address => new("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port, false);

    public ImmutableArray<string> Extensions { get; set; } = ["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 1000000"];

    /// <summary>With it STARTTLS is offered and kept.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Session and command to a reply of the script's own; null for the good server's.</summary>
    public Func<int, string, string?> Script { get; set; } = (_, _) => null;

    /// <summary>Awaited before a command is answered, and before "content" is read.</summary>
    public Func<string, Task> Before { get; set; } = _ => Task.CompletedTask;

    /// <summary>All commands so far, each with its session: "1 EHLO smtp.acme.test".</summary>
    public ImmutableArray<string> Heard => _heard;

    public ImmutableArray<HopMessage> Messages => _messages;

    /// <summary>Connections so far.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <summary>Connections open now.</summary>
    public int Open => Volatile.Read(ref _open);

    public Task UntilAsync(Func<ScriptedHop, bool> condition) => _signal.UntilAsync(() => condition(this),
        () => $"{Sessions} sessions, {Open} open, {Messages.Length} messages, {string.Join(" | ", Heard)}");

    public int Count(string command) => Heard.Count(line => line[(line.IndexOf(' ') + 1)..].StartsWith(command, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                sessions.Add(ServeAsync(client, Interlocked.Increment(ref _sessions)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task ServeAsync(TcpClient client, int session)
    {
        Interlocked.Increment(ref _open);
        try
        {
            client.NoDelay = true;
            await new Conversation(this, session, client.GetStream()).RunAsync(_stop.Token);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client left, or the test ends.
        }
        finally
        {
            client.Dispose();
            Interlocked.Decrement(ref _open);
            _signal.Changed();
        }
    }

    private sealed class Conversation(ScriptedHop hop, int session, Stream stream)
    {
        private readonly List<string> _rcpt = [];
        private Stream _stream = stream;
        private string _mail = "";
        private bool _secure;

        public async Task RunAsync(CancellationToken stop)
        {
            var more = await AnswerAsync("connect", "220 hop.test ESMTP", stop) is not null;
            while (more && await ReadLineAsync(stop) is { } command)
            {
                more = await AnswerAsync(command, Usual(command), stop) is { } reply && await GoOnAsync(command, reply, stop);
            }
        }

        private async Task<bool> GoOnAsync(string command, string reply, CancellationToken stop)
        {
            if (command.StartsWith("MAIL", StringComparison.Ordinal))
            {
                _rcpt.Clear();
                _mail = reply[0] == '2' ? command : "";
            }
            else if (command == "RSET")
            {
                _mail = "";
            }
            else if (command.StartsWith("RCPT", StringComparison.Ordinal) && reply[0] == '2')
            {
                _rcpt.Add(command);
            }
            else if (command == "DATA" && reply.StartsWith("354", StringComparison.Ordinal))
            {
                return await TakeContentAsync(stop);
            }
            else if (command == "STARTTLS" && reply.StartsWith("220", StringComparison.Ordinal))
            {
                var tls = new SslStream(_stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = hop.Certificate }, stop);
                (_stream, _secure) = (tls, true);
            }

            return command != "QUIT";
        }

        private async Task<bool> TakeContentAsync(CancellationToken stop)
        {
            var content = new StringBuilder();
            await hop.Before("content").WaitAsync(stop);
            while (await ReadLineAsync(stop) is { } line)
            {
                if (line == ".")
                {
                    var message = new HopMessage(session, _mail, [.. _rcpt], content.ToString());
                    _mail = "";
                    return await AnswerAsync(".", $"250 2.0.0 taken in session {session}", stop, message) is not null;
                }

                content.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
            }

            return false;
        }

        private string Usual(string command)
        {
            IEnumerable<string> extensions = hop.Certificate is null || _secure ? hop.Extensions : [.. hop.Extensions, "STARTTLS"];
            return command.Split(' ')[0] switch
            {
                "EHLO" => string.Join("\r\n", extensions.Prepend("hop.test greets you").SkipLast(1).Select(line => "250-" + line))
                    + (extensions.Any() ? "\r\n250 " + extensions.Last() : "250 hop.test greets you"),
                "HELO" or "RSET" => "250 Ok",
                "MAIL" => _mail.Length == 0 ? "250 2.1.0 Ok" : "503 5.5.1 Nested MAIL",
                "RCPT" => _mail.Length == 0 ? "503 5.5.1 MAIL first" : "250 2.1.5 Ok",
                "DATA" => _mail.Length == 0 ? "503 5.5.1 MAIL first" : _rcpt.Count == 0 ? "554 5.5.1 No valid recipients" : "354 Go on",
                "QUIT" => "221 2.0.0 Bye",
                "STARTTLS" => "220 2.0.0 Go on",
                _ => "502 5.5.1 What?",
            };
        }

        /// <summary>The reply that was sent; null when the conversation is over.</summary>
        private async Task<string?> AnswerAsync(string command, string usual, CancellationToken stop, HopMessage? taken = null)
        {
            ImmutableInterlocked.Update(ref hop._heard, (heard, added) => heard.Add(added), $"{session} {command}");
            hop._signal.Changed();
            await hop.Before(command).WaitAsync(stop);
            var reply = hop.Script(session, command) ?? usual;
            if (reply == Silence)
            {
                while (await ReadLineAsync(stop) is not null)
                {
                }
            }

            if (reply is Silence or Drop)
            {
                return null;
            }

            if (taken is not null && reply[0] == '2')
            {
                ImmutableInterlocked.Update(ref hop._messages, (messages, added) => messages.Add(added), taken);
                hop._signal.Changed();
            }

            await _stream.WriteAsync(Encoding.UTF8.GetBytes(reply + "\r\n"), stop);
            return reply;
        }

        private async Task<string?> ReadLineAsync(CancellationToken stop)
        {
            var line = new List<byte>();
            var octet = new byte[1];
            while (await _stream.ReadAsync(octet, stop) == 1)
            {
                line.Add(octet[0]);
                if (line is [.., (byte)'\r', (byte)'\n'])
                {
                    return Encoding.UTF8.GetString([.. line[..^2]]);
                }
            }

            return null;
        }
    }
}
