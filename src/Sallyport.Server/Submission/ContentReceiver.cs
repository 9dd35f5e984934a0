using System.Buffers;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Server.Submission;

/// <summary>
/// One message on its way in: decoded octets go to the header until its empty line, then to the store. Once it is clear that
/// the message cannot be kept, the rest is read and thrown away.
/// </summary>
internal sealed class ContentReceiver(QueueId id, ISubmission submission, SmtpLimits limits) : IAsyncDisposable
{
    private readonly ArrayBufferWriter<byte> _decoded = new(16 * 1024);
    private readonly HeaderCollector _header = new(limits);
    private string? _failure;

    public QueueId Id => id;

    public ISubmission Submission => submission;

    public ReadOnlyMemory<byte> Header => _header.Header;

    public IBufferWriter<byte> Decoded => _decoded;

    public Reply? Refusal => _header.Refusal ?? (_failure is null ? null : Replies.StoreFailed);

    /// <summary>Passes on what was decoded since the last call.</summary>
    public async ValueTask FlowAsync(CancellationToken cancel)
    {
        var octets = _decoded.WrittenMemory;
        if (Refusal is null && !_header.IsComplete && !octets.IsEmpty)
        {
            _header.Append(octets.Span, out var consumed);
            octets = octets[consumed..];
        }

        if (Refusal is null && !octets.IsEmpty)
        {
            await KeepAsync(octets, cancel);
        }

        _decoded.ResetWrittenCount();
    }

    public void FinishHeader() => _header.Finish();

    public ValueTask DisposeAsync() => submission.DisposeAsync();

    private async ValueTask KeepAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        try
        {
            await submission.WriteAsync(octets, cancel);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _failure = exception.Message; // a full or failed store: the client hears 451 at the end
        }
    }
}
