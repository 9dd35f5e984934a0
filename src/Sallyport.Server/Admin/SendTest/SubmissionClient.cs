using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Admin.SendTest;

/// <summary>The server said no, or nothing; the message says to what, the reply is its own.</summary>
internal sealed class SubmissionException(string message, Reply? reply = null) : Exception(message)
{
    public Reply? Reply => reply;
}

/// <summary>A user's mail program in small: connects to one of our listeners, logs in, sends, says QUIT.</summary>
internal sealed class SubmissionClient : IAsyncDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan GoodbyeMax = TimeSpan.FromSeconds(2);

    private readonly TcpClient _client;
    private readonly TimeProvider _time;
    private readonly byte[] _input = new byte[8192];
    private readonly ReplyParser _parser = new();
    private Stream _stream;
    private ReadOnlyMemory<byte> _unread;

    private SubmissionClient(TcpClient client, TimeProvider time) => (_client, _stream, _time) = (client, client.GetStream(), time);

    /// <summary>As in "TLSv1.3"; empty without TLS.</summary>
    public string Tls { get; private set; } = "";

    public string Mechanism { get; private set; } = "";

    public NextHopCapabilities Capabilities { get; private set; } = NextHopCapabilities.None;

    /// <exception cref="SubmissionException">It cannot be reached, or has refused.</exception>
    public static async Task<SubmissionClient> OpenAsync(
        System.Net.IPEndPoint address, ListenerTls tls, string hostname, (string Login, string Password) who, TimeProvider time,
        CancellationToken cancel)
    {
#pragma warning disable CA2000 // the client's; where it never comes to be, closed below
        var tcp = new TcpClient(address.AddressFamily);
#pragma warning restore CA2000
        SubmissionClient? client = null;
        try
        {
            await tcp.ConnectAsync(address, cancel);
            client = new SubmissionClient(tcp, time);
            await client.BeginAsync(tls, hostname, cancel);
            await client.LogInAsync(who.Login, who.Password, cancel);
            return client;
        }
        catch (Exception exception) when (exception is SocketException or IOException or AuthenticationException)
        {
            await CloseAsync(tcp, client);
            throw new SubmissionException($"Cannot connect to {address}: {exception.Message}. Is the server running?");
        }
        catch
        {
            await CloseAsync(tcp, client);
            throw;
        }
    }

    /// <summary>Sends one message; the verdict on its recipient.</summary>
    public async Task<RelayVerdict> SendAsync(RelayMail mail, byte[] content, CancellationToken cancel)
    {
        var transaction = new RelayTransaction(mail, Capabilities);
        try
        {
            while (transaction.Phase == RelayPhase.Commands)
            {
                if (transaction.TakeCommands() is { Length: > 0 } commands)
                {
                    await _stream.WriteAsync(Encoding.UTF8.GetBytes(commands), cancel);
                }

                transaction.Receive(await ReadAsync(cancel));
            }

            if (transaction.Phase is RelayPhase.Content or RelayPhase.EmptyContent)
            {
                var output = new ArrayBufferWriter<byte>();
                var stuffer = new DotStuffer();
                stuffer.Write(transaction.Phase == RelayPhase.Content ? content : [], output);
                stuffer.Finish(output);
                await _stream.WriteAsync(output.WrittenMemory, cancel);
                transaction.ContentSent();
                transaction.Receive(await ReadAsync(cancel));
            }
        }
        catch (IOException exception)
        {
            throw new SubmissionException("The connection broke: " + exception.Message);
        }

        return transaction.Verdicts.First();
    }

    /// <summary>Says QUIT, and waits a moment for the answer.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(GoodbyeMax, _time);
            await _stream.WriteAsync("QUIT\r\n"u8.ToArray(), limit.Token);
            await ReadAsync(limit.Token);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SubmissionException or ObjectDisposedException)
        {
            // It has hung up already.
        }

        await _stream.DisposeAsync();
        _client.Dispose();
    }

    private static async Task CloseAsync(TcpClient tcp, SubmissionClient? client)
    {
        if (client is not null)
        {
            await client.DisposeAsync();
        }

        tcp.Dispose();
    }

    private async Task BeginAsync(ListenerTls tls, string hostname, CancellationToken cancel)
    {
        if (tls == ListenerTls.Implicit)
        {
            await BeginTlsAsync(hostname, cancel);
        }

        Demand(await ReadAsync(cancel), 220, "its greeting");
        await HelloAsync(hostname, cancel);
        if (tls == ListenerTls.StartTls)
        {
            Demand(await CommandAsync("STARTTLS", cancel), 220, "STARTTLS");
            await BeginTlsAsync(hostname, cancel);
            await HelloAsync(hostname, cancel);
        }
    }

    private async Task HelloAsync(string hostname, CancellationToken cancel) =>
        Capabilities = NextHopCapabilities.Read(Demand(await CommandAsync("EHLO " + hostname, cancel), 250, "EHLO"));

    /// <summary>With any certificate: we talk to ourselves, and `doctor` looks at the certificate.</summary>
    private async Task BeginTlsAsync(string hostname, CancellationToken cancel)
    {
#pragma warning disable CA5359 // see above
        var tls = new SslStream(_stream, false, (_, _, _, _) => true);
#pragma warning restore CA5359
        _stream = tls;
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = hostname }, cancel);
        Tls = tls.SslProtocol.ToString().Replace("Tls1", "TLSv1.", StringComparison.Ordinal);
    }

    private async Task LogInAsync(string login, string password, CancellationToken cancel)
    {
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
        var sasl = SaslClient.Choose(Capabilities.Mechanisms, login, password, default, nonce)
            ?? throw new SubmissionException("The server offers no login this command knows.");
        var initial = sasl.Initial();
        var reply = await CommandAsync(
            "AUTH " + sasl.Name + (initial is null ? "" : " " + (initial.Length == 0 ? "=" : Convert.ToBase64String(initial))), cancel);
        while (reply.Code == 334)
        {
            var response = sasl.Respond(SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(reply.Lines[0])) ?? []);
            reply = await CommandAsync(response is null ? "*" : Convert.ToBase64String(response), cancel);
        }

        if (reply.Code != 235)
        {
            throw new SubmissionException($"The server did not accept the login {login}; the log says why.", reply);
        }

        Mechanism = sasl.Name;
    }

    private async Task<Reply> CommandAsync(string command, CancellationToken cancel)
    {
        await _stream.WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"), cancel);
        return await ReadAsync(cancel);
    }

    private async Task<Reply> ReadAsync(CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(AnswerMax, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
        while (true)
        {
            if (_unread.IsEmpty)
            {
                var read = await _stream.ReadAsync(_input, limit.Token);
                _unread = read > 0 ? _input.AsMemory(0, read) : throw new IOException("the server closed the connection");
            }

            var state = _parser.Read(_unread.Span, out var consumed);
            _unread = _unread[consumed..];
            if (state != ReplyState.Incomplete)
            {
                return state == ReplyState.Complete ? _parser.Reply : throw new IOException("what it answers is not SMTP");
            }
        }
    }

    private static Reply Demand(Reply reply, int code, string to) =>
        reply.Code == code ? reply : throw new SubmissionException($"The server refused {to}.", reply);
}
