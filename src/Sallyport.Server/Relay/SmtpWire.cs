using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Peers;

namespace Sallyport.Server.Relay;

/// <summary>Octets to a next hop and replies from it, each with its deadline. Knows no order of commands.</summary>
internal sealed class SmtpWire : IAsyncDisposable
{
    private const int ReadBytes = 8 * 1024;

    private readonly TcpClient _client;
    private readonly TimeoutOptions _timeouts;
    private readonly TimeProvider _time;
    private readonly ReplyParser _parser = new();
    private readonly byte[] _input = new byte[ReadBytes];
    private ReadOnlyMemory<byte> _unread;

    private SmtpWire(TcpClient client, TimeoutOptions timeouts, TimeProvider time)
    {
        (_client, _timeouts, _time) = (client, timeouts, time);
        Stream = client.GetStream();
    }

    /// <summary>TCP, or TLS once that has begun.</summary>
    public Stream Stream { get; private set; }

    /// <summary>It has sent more than one reply to the last command.</summary>
    public bool HasUnread => !_unread.IsEmpty;

    /// <summary>Tries the addresses in turn; the deadline is for all of them.</summary>
    /// <exception cref="SocketException">None answers.</exception>
    /// <exception cref="OperationCanceledException">None answers in time, or the caller gives up.</exception>
    public static async Task<SmtpWire> ConnectAsync(
        IPAddress[] addresses, int port, TimeoutOptions timeouts, TimeProvider time, CancellationToken cancel)
    {
#pragma warning disable CA2000 // the wire's, or disposed below
        var client = new TcpClient { NoDelay = true };
#pragma warning restore CA2000
        try
        {
            using var limit = new WaitLimit(timeouts.RelayConnect, time, cancel);
            await client.ConnectAsync(addresses, port, limit.Token);
            return new SmtpWire(client, timeouts, time);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async Task<Reply> CommandAsync(string command, TimeSpan within, CancellationToken cancel)
    {
        await WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"), cancel);
        return await ReadReplyAsync(within, cancel);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        using var limit = new WaitLimit(_timeouts.RelayDataBlock, _time, cancel);
        await Stream.WriteAsync(octets, limit.Token);
    }

    /// <exception cref="InvalidDataException">What came is not SMTP.</exception>
    public async Task<Reply> ReadReplyAsync(TimeSpan within, CancellationToken cancel)
    {
        using var limit = new WaitLimit(within, _time, cancel);
        while (true)
        {
            if (_unread.IsEmpty)
            {
                var read = await Stream.ReadAsync(_input, limit.Token);
                _unread = read > 0 ? _input.AsMemory(0, read) : throw new IOException("it closed the connection");
            }

            var state = _parser.Read(_unread.Span, out var consumed);
            _unread = _unread[consumed..];
            if (state == ReplyState.Malformed)
            {
                throw new InvalidDataException("what it answers is not SMTP");
            }

            if (state == ReplyState.Complete)
            {
                return _parser.Reply;
            }
        }
    }

    public async Task<SslStream> StartTlsAsync(SslClientAuthenticationOptions options, CancellationToken cancel)
    {
        var tls = new SslStream(Stream, leaveInnerStreamOpen: false);
        Stream = tls;
        using var limit = new WaitLimit(_timeouts.Handshake, _time, cancel);
        await tls.AuthenticateAsClientAsync(options, limit.Token);
        return tls;
    }

    /// <summary>At once, without a word.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Stream.DisposeAsync();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The other side is gone already.
        }
        finally
        {
            _client.Dispose();
        }
    }

    /// <summary>What broke it, as a cause.</summary>
    public static RelayFailure FailureOf(Exception exception, bool connecting) => exception switch
    {
        OperationCanceledException => connecting ? RelayFailure.ConnectTimeout : RelayFailure.ReplyTimeout,
        HostException host => host.Why.Failure,
        InvalidDataException => RelayFailure.ProtocolViolation,
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } when connecting => RelayFailure.ConnectionRefused,
        SocketException { SocketErrorCode: SocketError.TimedOut } when connecting => RelayFailure.ConnectTimeout,
        _ => connecting ? RelayFailure.Unreachable : RelayFailure.ConnectionLost,
    };

    /// <summary>What broke it, in words.</summary>
    public static string Describe(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception is OperationCanceledException ? "no answer in time" : DisplayText.Sanitize(exception.Message);
    }
}
