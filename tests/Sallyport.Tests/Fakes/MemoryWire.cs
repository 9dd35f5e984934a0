using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Submission;

namespace Sallyport.Tests.Fakes;

/// <summary>
/// A client's connection in memory. Nothing is scheduled: what the client sends is carried through the driver before
/// <see cref="Send(ReadOnlySpan{byte})"/> returns, so that a test sees at once what was said, and that no more was.
/// </summary>
internal sealed class MemoryWire(long outputMax = 0) : ISubmissionWire
{
    public static readonly TlsFacts Tls = new("TLSv1.3", "TLS_AES_256_GCM_SHA384", default);

    private readonly Pipe _fromServer = new(Inline(outputMax));
    private Pipe _toServer = new(Inline(0));
    private TaskCompletionSource<TlsFacts>? _handshake;

    public IPAddress Client => IPAddress.Parse("192.0.2.7");

    public int ClientPort => 50_000;

    public PipeReader Input => _toServer.Reader;

    public PipeWriter Output => _fromServer.Writer;

    /// <summary>What a handshake gives.</summary>
    public TlsFacts Facts { get; init; } = Tls;

    public bool IsAborted { get; private set; }

    public bool AwaitsHandshake => _handshake is not null;

    public Task<TlsFacts> StartTlsAsync(CancellationToken cancel)
    {
        _handshake = new TaskCompletionSource<TlsFacts>();
        var handshake = _handshake;
        cancel.Register(() => handshake.TrySetCanceled(cancel));
        return handshake.Task;
    }

    public void Abort() => IsAborted = true;

    public void FinishHandshake()
    {
        _toServer = new Pipe(Inline(0));
        var handshake = _handshake ?? throw new InvalidOperationException("no handshake is awaited");
        _handshake = null;
        handshake.SetResult(Facts);
    }

    public void Send(ReadOnlySpan<byte> octets)
    {
        _toServer.Writer.Write(octets);
        _ = _toServer.Writer.FlushAsync().AsTask();
    }

    /// <summary>Octets and the end of the connection at once.</summary>
    public void SendLast(ReadOnlySpan<byte> octets)
    {
        _toServer.Writer.Write(octets);
        _toServer.Writer.Complete();
    }

    public void Leave() => _toServer.Writer.Complete();

    /// <summary>What was flushed since the last call.</summary>
    public string Take()
    {
        if (!_fromServer.Reader.TryRead(out var result))
        {
            return "";
        }

        var text = Encoding.UTF8.GetString(result.Buffer);
        _fromServer.Reader.AdvanceTo(result.Buffer.End);
        return text;
    }

    private static PipeOptions Inline(long pauseAt) => new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: pauseAt,
        resumeWriterThreshold: pauseAt / 2, useSynchronizationContext: false);
}
