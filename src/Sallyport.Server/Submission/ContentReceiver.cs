using System.Buffers;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Server.Submission;

/// <summary>
/// One message on its way in: decoded octets go to the header until its empty line, then to the store. Once it is clear that
/// the message cannot be kept, the rest is read and thrown away.
/// </summary>
/// <param name="keepMax">How long the store may take over one piece; then the message is given up (451) and the rest thrown away.</param>
internal sealed class ContentReceiver(QueueId id, IPendingMessage submission, SmtpLimits limits, TimeSpan keepMax, TimeProvider time)
    : IAsyncDisposable
{
    private readonly ArrayBufferWriter<byte> _decoded = new(16 * 1024);
    private readonly HeaderCollector _header = new(limits);
    private string? _failure;

    public QueueId Id => id;

    public IPendingMessage Submission => submission;

    public ReadOnlyMemory<byte> Header => _header.Header;

    public IBufferWriter<byte> Decoded => _decoded;

    public Reply? Refusal => _header.Refusal ?? (_failure is null ? null : Replies.StoreFailed);

    /// <summary>Passes on what was decoded since the last call.</summary>
    public async ValueTask FlowAsync()
    {
        var octets = _decoded.WrittenMemory;
        if (Refusal is null && !_header.IsComplete && !octets.IsEmpty)
        {
            _header.Append(octets.Span, out var consumed);
            octets = octets[consumed..];
        }

        if (Refusal is null && !octets.IsEmpty)
        {
            await KeepAsync(octets);
        }

        _decoded.ResetWrittenCount();
    }

    public void FinishHeader() => _header.Finish();

    public ValueTask DisposeAsync() => submission.DisposeAsync();

    private async ValueTask KeepAsync(ReadOnlyMemory<byte> octets)
    {
        using var limit = new CancellationTokenSource(keepMax, time);
        try
        {
            await submission.WriteAsync(octets, limit.Token);
        }
        catch (Exception exception)
        {
            _failure = exception.Message; // a full, failed or stalled store: the client hears 451 at the end
        }
    }
}
