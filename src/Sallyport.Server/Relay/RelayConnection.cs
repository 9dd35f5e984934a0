using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Relay;

/// <summary>The host cannot be used now; the reply says why, ours or its own. Nothing was said about any recipient.</summary>
public sealed class HostException(Reply reply) : Exception(reply.ToString())
{
    public Reply Reply => reply;
}

/// <summary>
/// One connection to a next hop: greeting, EHLO, STARTTLS, AUTH as the route demands, then one transaction after the other.
/// What the route demands is never given up for the sake of a delivery.
/// </summary>
public sealed class RelayConnection : IAsyncDisposable
{
    private const int ReadBytes = 8 * 1024;

    private readonly TcpClient _client;
    private readonly TimeoutOptions _timeouts;
    private readonly TimeProvider _time;
    private readonly ReplyParser _parser = new();
    private readonly byte[] _input = new byte[ReadBytes];
    private readonly ArrayBufferWriter<byte> _output = new(64 * 1024);
    private Stream _stream;
    private ReadOnlyMemory<byte> _unread;

    private RelayConnection(TcpClient client, SmarthostAddress host, TimeoutOptions timeouts, TimeProvider time)
    {
        _client = client;
        _stream = client.GetStream();
        _timeouts = timeouts;
        _time = time;
        Host = host;
    }

    public SmarthostAddress Host { get; }

    public NextHopCapabilities Capabilities { get; private set; } = NextHopCapabilities.None;

    /// <summary>As in "TLSv1.3, AES256-GCM"; empty without TLS.</summary>
    public string Tls { get; private set; } = "";

    /// <summary>Mechanism we logged in with; empty without a login.</summary>
    public string Mechanism { get; private set; } = "";

    /// <summary>Transactions so far.</summary>
    public int Messages { get; private set; }

    /// <summary>False once a 421 came, a reply was not SMTP, or the connection broke.</summary>
    public bool IsUsable { get; private set; } = true;

    /// <exception cref="HostException">Not reachable, not willing, not trusted, or does not know our login.</exception>
    public static async Task<RelayConnection> OpenAsync(
        SmarthostAddress host, RouteOptions route, string helloName, TimeoutOptions timeouts, TimeProvider time, CancellationToken cancel)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            using var limit = new WaitLimit(timeouts.RelayConnect, time, cancel);
            await client.ConnectAsync(host.Host, host.Port, limit.Token);
#pragma warning disable CA2000 // the caller's; when it never gets there the client below closes all
            var connection = new RelayConnection(client, host, timeouts, time);
#pragma warning restore CA2000
            await connection.BeginAsync(route, helloName, cancel);
            return connection;
        }
        catch (HostException)
        {
            client.Dispose();
            throw;
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            client.Dispose();
            var why = exception is OperationCanceledException ? "no answer in time" : Innermost(exception);
            throw new HostException(new Reply(451, new(4, 4, 1), $"Cannot reach {host}: {why}"));
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Relays one message to its recipients. Never throws for what the next hop does.</summary>
    public async Task<RelayTransaction> SendAsync(RelayMail mail, Func<IAsyncEnumerable<ReadOnlyMemory<byte>>> content, CancellationToken cancel)
    {
        var transaction = new RelayTransaction(mail, Capabilities);
        Messages++;
        try
        {
            await ExchangeAsync(transaction, cancel);
            if (transaction.Phase is RelayPhase.Content or RelayPhase.EmptyContent)
            {
                await SendContentAsync(transaction, content, cancel);
                transaction.ContentSent();
                transaction.Receive(await ReadReplyAsync(_timeouts.RelayFinalDot, cancel));
            }

            if (transaction.IsLeftOpen && !transaction.ConnectionOver)
            {
                Demand(await CommandAsync("RSET", _timeouts.RelayCommand, cancel), 250, "answered RSET with");
            }
        }
        catch (Exception exception)
        {
            IsUsable = false;
            if (transaction.Phase != RelayPhase.Done)
            {
                transaction.Lost(exception is FormatException ? exception.Message : $"The connection to {Host} was lost: {Innermost(exception)}");
            }
        }

        if (transaction.ConnectionOver)
        {
            IsUsable = false;
        }

        return transaction;
    }

    /// <summary>Says QUIT without waiting long for the answer.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsUsable)
        {
            try
            {
                await CommandAsync("QUIT", TimeSpan.FromSeconds(2), default);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or HostException or ObjectDisposedException)
            {
                // It is closed either way.
            }
        }

        IsUsable = false;
        await _stream.DisposeAsync();
        _client.Dispose();
    }

    private async Task BeginAsync(RouteOptions route, string helloName, CancellationToken cancel)
    {
        if (Host.ImplicitTls)
        {
            await BeginTlsAsync(route, cancel);
        }

        Demand(await ReadReplyAsync(_timeouts.RelayGreeting, cancel), 220, "greeted us with");
        await HelloAsync(helloName, cancel);
        if (Tls.Length == 0 && route.Tls != RelayTls.None)
        {
            await SecureAsync(route, helloName, cancel);
        }

        if (route.Login is not null)
        {
            await LogInAsync(route.Login, route.Password ?? "", cancel);
        }
    }

    private async Task HelloAsync(string helloName, CancellationToken cancel)
    {
        var reply = await CommandAsync("EHLO " + helloName, _timeouts.RelayCommand, cancel);
        if (reply.Code == 250)
        {
            Capabilities = NextHopCapabilities.Read(reply);
            return;
        }

        Capabilities = NextHopCapabilities.None;
        Demand(reply.IsPermanent ? await CommandAsync("HELO " + helloName, _timeouts.RelayCommand, cancel) : reply, 250, "answered EHLO with");
    }

    private async Task SecureAsync(RouteOptions route, string helloName, CancellationToken cancel)
    {
        if (!Capabilities.StartTls)
        {
            if (route.Tls == RelayTls.May && route.Login is null)
            {
                return;
            }

            throw new HostException(new Reply(454, new(4, 7, 10), $"{Host} offers no STARTTLS, which this route demands"));
        }

        Demand(await CommandAsync("STARTTLS", _timeouts.RelayCommand, cancel), 220, "answered STARTTLS with");
        if (!_unread.IsEmpty)
        {
            throw new HostException(new Reply(454, new(4, 7, 0), $"{Host} sent data behind its answer to STARTTLS: this looks like an attack"));
        }

        await BeginTlsAsync(route, cancel);
        await HelloAsync(helloName, cancel);
    }

    private async Task BeginTlsAsync(RouteOptions route, CancellationToken cancel)
    {
        var why = SslPolicyErrors.None;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = route.TlsName ?? Host.Host,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = route.TlsCa is null ? null : OnlyTrust(route.TlsCa),
            RemoteCertificateValidationCallback = (_, _, _, errors) =>
            {
                why = errors;
                return route.Tls != RelayTls.Verify || errors == SslPolicyErrors.None;
            },
        };
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false);
        _stream = tls;
        try
        {
            using var limit = new WaitLimit(_timeouts.Handshake, _time, cancel);
            await tls.AuthenticateAsClientAsync(options, limit.Token);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or OperationCanceledException)
        {
            var reason = why == SslPolicyErrors.None ? Innermost(exception) : Explain(why, options.TargetHost);
            throw new HostException(new Reply(454, new(4, 7, 5), $"No trusted TLS with {Host}: {reason}"));
        }

        Tls = $"{tls.SslProtocol}, {tls.NegotiatedCipherSuite}";
    }

    private async Task LogInAsync(string login, string password, CancellationToken cancel)
    {
        var binding = _stream is SslStream { RemoteCertificate: X509Certificate2 certificate } ? EndPointOf(certificate) : default;
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
        var sasl = SaslClient.Choose(Capabilities.Mechanisms, login, password, binding, nonce)
            ?? throw new HostException(new Reply(454, new(4, 7, 0), $"{Host} offers no login we know; this route demands one"));
        var initial = sasl.Initial();
        var reply = await CommandAsync("AUTH " + sasl.Name + (initial is null ? "" : " " + InitialResponse(initial)), _timeouts.RelayCommand, cancel);
        while (reply.Code == 334)
        {
            var challenge = SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(reply.Lines[0])) ?? [];
            var response = sasl.Respond(challenge);
            reply = await CommandAsync(response is null ? "*" : Convert.ToBase64String(response), _timeouts.RelayCommand, cancel);
        }

        if (reply.Code != 235 || !sasl.IsSatisfied)
        {
            throw new HostException(new Reply(454, new(4, 7, 8), $"{Host} did not accept the login {login} of this route: {reply}"));
        }

        Mechanism = sasl.Name;
    }

    private async Task ExchangeAsync(RelayTransaction transaction, CancellationToken cancel)
    {
        while (transaction.Phase == RelayPhase.Commands)
        {
            if (transaction.TakeCommands() is { Length: > 0 } commands)
            {
                await WriteAsync(Encoding.UTF8.GetBytes(commands), cancel);
            }

            transaction.Receive(await ReadReplyAsync(_timeouts.RelayCommand, cancel));
        }
    }

    private async Task SendContentAsync(RelayTransaction transaction, Func<IAsyncEnumerable<ReadOnlyMemory<byte>>> content, CancellationToken cancel)
    {
        _output.ResetWrittenCount();
        var stuffer = new DotStuffer();
        if (transaction.Phase == RelayPhase.Content)
        {
            await foreach (var piece in content().WithCancellation(cancel))
            {
                stuffer.Write(piece.Span, _output);
                if (_output.WrittenCount >= 48 * 1024)
                {
                    await WriteAsync(_output.WrittenMemory, cancel);
                    _output.ResetWrittenCount();
                }
            }
        }

        stuffer.Finish(_output);
        await WriteAsync(_output.WrittenMemory, cancel);
        _output.ResetWrittenCount();
    }

    private async Task<Reply> CommandAsync(string command, TimeSpan within, CancellationToken cancel)
    {
        await WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"), cancel);
        return await ReadReplyAsync(within, cancel);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        using var limit = new WaitLimit(_timeouts.RelayDataBlock, _time, cancel);
        await _stream.WriteAsync(octets, limit.Token);
    }

    private async Task<Reply> ReadReplyAsync(TimeSpan within, CancellationToken cancel)
    {
        using var limit = new WaitLimit(within, _time, cancel);
        while (true)
        {
            if (_unread.IsEmpty)
            {
                var read = await _stream.ReadAsync(_input, limit.Token);
                _unread = read > 0 ? _input.AsMemory(0, read) : throw new IOException("it closed the connection");
            }

            var state = _parser.Read(_unread.Span, out var consumed);
            _unread = _unread[consumed..];
            if (state == ReplyState.Malformed)
            {
                IsUsable = false;
                throw new IOException("what it answers is not SMTP");
            }

            if (state == ReplyState.Complete)
            {
                return _parser.Reply;
            }
        }
    }

    private void Demand(Reply reply, int code, string what)
    {
        if (reply.Code != code)
        {
            throw new HostException(new Reply(451, new(4, 4, 0), $"{Host} {what}: {reply}"));
        }
    }

    private static X509ChainPolicy OnlyTrust(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }

    private static byte[] EndPointOf(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value switch
    {
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => SHA384.HashData(certificate.RawData),
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => SHA512.HashData(certificate.RawData),
        _ => SHA256.HashData(certificate.RawData),
    };

    private static string Explain(SslPolicyErrors errors, string name) =>
        errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"its certificate is not for {name}"
        : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? "its certificate is not from an authority trusted here, or not valid now"
        : "it showed no certificate";

    /// <summary>"=" says that it is there and empty; later on an empty line says that (RFC 4954 §4).</summary>
    private static string InitialResponse(byte[] octets) => octets.Length == 0 ? "=" : Convert.ToBase64String(octets);

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception is OperationCanceledException ? "no answer in time" : Replies.Printable(exception.Message);
    }
}
