using System.Buffers;
using System.Text;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;
using Sallyport.Server.Peers;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Relay;

/// <summary>One connection to a next hop that is ready for mail, then one transaction after the other.</summary>
internal sealed class RelayConnection : IAsyncDisposable
{
    private const int WriteBytes = 48 * 1024;
    private static readonly TimeSpan QuitMax = TimeSpan.FromSeconds(2);

    private readonly SmtpWire _wire;
    private readonly TimeoutOptions _timeouts;
    private readonly TimeProvider _time;
    private readonly ArrayBufferWriter<byte> _output = new(64 * 1024);

    private RelayConnection(SmtpWire wire, PlannedHost host, RelayOpening opening, TimeoutOptions timeouts, TimeProvider time)
    {
        (_wire, _timeouts, _time) = (wire, timeouts, time);
        Host = host;
        Capabilities = opening.Capabilities;
        Tls = opening.Tls;
        Mechanism = opening.Mechanism;
    }

    public PlannedHost Host { get; }

    public NextHopCapabilities Capabilities { get; }

    /// <summary>As in "Tls13, TLS_AES_256_GCM_SHA384"; empty without TLS.</summary>
    public string Tls { get; }

    /// <summary>Mechanism we logged in with; empty without a login.</summary>
    public string Mechanism { get; }

    /// <summary>Transactions so far.</summary>
    public int Messages { get; private set; }

    /// <summary>False once a 421 came, a reply was not SMTP, or the connection broke.</summary>
    public bool IsUsable { get; private set; } = true;

    /// <exception cref="HostException">Not reachable, not willing, not trusted, or does not know our login.</exception>
    public static async Task<RelayConnection> OpenAsync(
        PlannedHost host, RelayIdentity us, TimeoutOptions timeouts, TimeProvider time, CancellationToken cancel)
    {
        if (host.Unresolved is { } unresolved)
        {
            throw new HostException(unresolved);
        }

        SmtpWire? wire = null;
        try
        {
#pragma warning disable CA2000 // the connection's, or disposed below
            wire = await SmtpWire.ConnectAsync([.. host.Addresses], host.Key.Port, timeouts, time, cancel);
#pragma warning restore CA2000
            var opening = new RelayOpening(wire, host, us, timeouts, cancel);
            await opening.RunAsync();
            return new RelayConnection(wire, host, opening, timeouts, time);
        }
        catch (Exception exception)
        {
            if (wire is not null)
            {
                await wire.DisposeAsync();
            }

            if (exception is HostException || cancel.IsCancellationRequested)
            {
                throw;
            }

            throw new HostException(SmtpWire.FailureOf(exception, connecting: wire is null),
                new Reply(451, new(4, 4, 1), $"Cannot reach {host}: {SmtpWire.Describe(exception)}"));
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
                transaction.Receive(await _wire.ReadReplyAsync(_timeouts.RelayFinalDot, cancel));
            }

            if (transaction.IsLeftOpen && !transaction.ConnectionOver)
            {
                RelayOpening.Expect(Host, await _wire.CommandAsync("RSET", _timeouts.RelayCommand, cancel), 250, "answered RSET with");
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
                transaction.Lost(
                    $"The connection to {Host} was lost: {SmtpWire.Describe(exception)}", SmtpWire.FailureOf(exception, connecting: false));
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
                await _wire.CommandAsync("QUIT", QuitMax, limit.Token);
            }
            catch (Exception exception) when (
                exception is IOException or InvalidDataException or OperationCanceledException or ObjectDisposedException)
            {
                // It is closed either way.
            }
        }

        IsUsable = false;
        await _wire.DisposeAsync();
    }

    private async Task ExchangeAsync(RelayTransaction transaction, CancellationToken cancel)
    {
        while (transaction.Phase == RelayPhase.Commands)
        {
            if (transaction.TakeCommands() is { Length: > 0 } commands)
            {
                await _wire.WriteAsync(Encoding.UTF8.GetBytes(commands), cancel);
            }

            transaction.Receive(await _wire.ReadReplyAsync(_timeouts.RelayCommand, cancel));
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
                    await _wire.WriteAsync(_output.WrittenMemory, cancel);
                    _output.ResetWrittenCount();
                }
            }
        }

        Checked(() => stuffer.Finish(_output));
        transaction.ContentSent();
        await _wire.WriteAsync(_output.WrittenMemory, cancel);
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
}
