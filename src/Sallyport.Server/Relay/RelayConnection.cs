using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Relay;

/// <summary>The host cannot be used now; the reply says why, in our words. Nothing was said about any recipient.</summary>
/// <param name="said">Its own answer, if it gave one.</param>
public sealed class HostException(RelayFailure failure, Reply reply, Reply? said = null) : Exception(reply.ToString())
{
    public RelayFailure Failure => failure;

    public Reply Reply => reply;

    public HostFailure Why => new(failure, reply);

    /// <summary>It is there and says "not now", as hosts do that have enough connections of ours.</summary>
    public bool IsBusy => said is { IsTransient: true };
}

/// <summary>
/// One connection to a next hop: greeting, EHLO, STARTTLS, AUTH as the route demands, then one transaction after the other.
/// What the route demands is never given up for the sake of a delivery.
/// </summary>
public sealed partial class RelayConnection : IAsyncDisposable
{
    private const int ReadBytes = 8 * 1024;
    private const int WriteBytes = 48 * 1024;
    private static readonly TimeSpan QuitMax = TimeSpan.FromSeconds(2);

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
        RelayConnection? connection = null;
        try
        {
            using var limit = new WaitLimit(timeouts.RelayConnect, time, cancel);
            await client.ConnectAsync(host.Host, host.Port, limit.Token);
#pragma warning disable CA2000 // the caller's once it is open; closed below when it never gets there
            connection = new RelayConnection(client, host, timeouts, time);
#pragma warning restore CA2000
            await connection.BeginAsync(route, helloName, cancel);
            return connection;
        }
        catch (Exception exception)
        {
            await CloseAsync(client, connection);
            if (exception is HostException || cancel.IsCancellationRequested)
            {
                throw;
            }

            throw new HostException(
                FailureOf(exception, connection is null), new Reply(451, new(4, 4, 1), $"Cannot reach {host}: {Innermost(exception)}"));
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
                transaction.Receive(await ReadReplyAsync(_timeouts.RelayFinalDot, cancel));
            }

            if (transaction.IsLeftOpen && !transaction.ConnectionOver)
            {
                Expect(await CommandAsync("RSET", _timeouts.RelayCommand, cancel), 250, "answered RSET with");
            }
        }
        catch (ContentException exception)
        {
            IsUsable = false;
            transaction.Damaged("What is kept of this message cannot be sent: " + DisplayText.Sanitize(exception.Message));
        }
        catch (Exception exception)
        {
            IsUsable = false;
            if (transaction.Phase != RelayPhase.Done)
            {
                transaction.Lost($"The connection to {Host} was lost: {Innermost(exception)}", FailureOf(exception, connecting: false));
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
                using var limit = new WaitLimit(QuitMax, _time, default);
                await CommandAsync("QUIT", QuitMax, limit.Token);
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or HostException or ObjectDisposedException)
            {
                // It is closed either way.
            }
        }

        await CloseAsync(_client, this);
    }

    /// <summary>At once, without a word.</summary>
    private static async ValueTask CloseAsync(TcpClient client, RelayConnection? connection)
    {
        try
        {
            if (connection is not null)
            {
                connection.IsUsable = false;
                await connection._stream.DisposeAsync();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The other side is gone already.
        }
        finally
        {
            client.Dispose();
        }
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

    /// <summary>From the moment the final dot is written the transaction counts as perhaps done.</summary>
    /// <exception cref="ContentException">Of ours; the connection has half a message and cannot be used again.</exception>
    private async Task SendContentAsync(RelayTransaction transaction, Func<IAsyncEnumerable<ReadOnlyMemory<byte>>> content, CancellationToken cancel)
    {
        _output.ResetWrittenCount();
        var stuffer = new DotStuffer();
        if (transaction.Phase == RelayPhase.Content)
        {
            await using var pieces = content().GetAsyncEnumerator(cancel);
            while (await NextAsync(pieces, stuffer))
            {
                if (_output.WrittenCount >= WriteBytes)
                {
                    await WriteAsync(_output.WrittenMemory, cancel);
                    _output.ResetWrittenCount();
                }
            }
        }

        Checked(() => stuffer.Finish(_output));
        transaction.ContentSent();
        await WriteAsync(_output.WrittenMemory, cancel);
        _output.ResetWrittenCount();
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<ReadOnlyMemory<byte>> pieces, DotStuffer stuffer)
    {
        try
        {
            if (!await pieces.MoveNextAsync())
            {
                return false;
            }
        }
        catch (Exception exception) when (exception is not (ContentException or OperationCanceledException))
        {
            throw new ContentException(exception.Message, exception);
        }

        Checked(() => stuffer.Write(pieces.Current.Span, _output));
        return true;
    }

    private static void Checked(Action write)
    {
        try
        {
            write();
        }
        catch (FormatException exception)
        {
            throw new ContentException(exception.Message, exception);
        }
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
                throw new InvalidDataException("what it answers is not SMTP");
            }

            if (state == ReplyState.Complete)
            {
                return _parser.Reply;
            }
        }
    }

    private void Expect(Reply reply, int code, string what)
    {
        if (reply.Code != code)
        {
            var failure = reply.IsTransient ? RelayFailure.HostBusy : reply.IsPermanent ? RelayFailure.HostRejectsUs : RelayFailure.ProtocolViolation;
            throw new HostException(failure, new Reply(451, new(4, 4, 0), $"{Host} {what}: {reply}"), reply);
        }
    }

    private static RelayFailure FailureOf(Exception exception, bool connecting) => exception switch
    {
        OperationCanceledException => connecting ? RelayFailure.ConnectTimeout : RelayFailure.ReplyTimeout,
        HostException host => host.Failure,
        InvalidDataException => RelayFailure.ProtocolViolation,
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } => RelayFailure.Unresolvable,
        SocketException { SocketErrorCode: SocketError.TryAgain } => RelayFailure.ResolverUnavailable,
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } when connecting => RelayFailure.ConnectionRefused,
        SocketException { SocketErrorCode: SocketError.TimedOut } when connecting => RelayFailure.ConnectTimeout,
        _ => connecting ? RelayFailure.Unreachable : RelayFailure.ConnectionLost,
    };

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception is OperationCanceledException ? "no answer in time" : DisplayText.Sanitize(exception.Message);
    }
}
