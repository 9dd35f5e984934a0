using System.Buffers;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Intake;
using Sallyport.Store;

namespace Sallyport.Server.Submission;

/// <summary>
/// One message on its way in: decoded octets go to the header until its empty line, then past the stages to the store. Once it is clear
/// that the message cannot be kept, the rest is read and thrown away.
/// </summary>
/// <param name="stages">Null when there are none.</param>
/// <param name="storeMax">How long the store may take over one piece; then the message is given up (451) and the rest thrown away.</param>
internal sealed class ContentReceiver(
    QueueId id, IPendingMessage submission, ContentFlow? stages, SmtpLimits limits, TimeSpan storeMax, TimeProvider time) : IAsyncDisposable
{
    private readonly PooledWriter _decoded = new();
    private readonly HeaderCollector _header = new(limits);
    private readonly CancellationTokenSource _storeLate = new(Timeout.InfiniteTimeSpan, time);
    private bool _headerShown;

    public QueueId Id => id;

    public IPendingMessage Submission => submission;

    public ContentFlow? Stages => stages;

    public ReadOnlyMemory<byte> Header => _header.Header;

    public IBufferWriter<byte> Decoded => _decoded;

    /// <summary>Why the store did not take a piece, for the log; null when it took them all.</summary>
    public string? StoreFailure { get; private set; }

    public Reply? Refusal => _header.Refusal ?? (StoreFailure is null ? null : Replies.StoreFailed);

    /// <summary>Passes on what was decoded since the last call.</summary>
    public ValueTask FlowAsync()
    {
        var octets = _decoded.Written;
        if (Refusal is null && !_header.IsComplete && !octets.IsEmpty)
        {
            _header.Append(octets.Span, out var consumed);
            octets = octets[consumed..];
            ShowHeader();
        }

        if (Refusal is null && !octets.IsEmpty)
        {
            stages?.OnBody(octets.Span);
            var write = submission.WriteAsync(octets, _storeLate.Token);
            if (!write.IsCompletedSuccessfully)
            {
                return AwaitAsync(write);
            }
        }

        _decoded.Clear();
        return ValueTask.CompletedTask;
    }

    public void FinishHeader()
    {
        _header.Finish();
        ShowHeader();
    }

    public ValueTask DisposeAsync()
    {
        _decoded.Dispose();
        _storeLate.Dispose();
        return submission.DisposeAsync();
    }

    private void ShowHeader()
    {
        if (_header is { IsComplete: true, Refusal: null } && !_headerShown)
        {
            _headerShown = true;
            stages?.OnHeader(_header.Header.Span);
        }
    }

    private async ValueTask AwaitAsync(ValueTask write)
    {
        _storeLate.CancelAfter(storeMax);
        try
        {
            await write;
            _storeLate.CancelAfter(Timeout.InfiniteTimeSpan);
            _decoded.Clear();
        }
        catch (Exception exception)
        {
            // A full, failed or stalled store: the client hears 451 at the end. What it stalls over it may still read.
            StoreFailure = exception is OperationCanceledException
                ? $"the store took more than {storeMax.TotalSeconds:0} s over a piece of the content" : exception.Message;
            _decoded.Abandon();
        }
    }
}
