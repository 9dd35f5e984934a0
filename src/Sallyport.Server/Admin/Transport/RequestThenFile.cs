namespace Sallyport.Server.Admin.Transport;

/// <summary>The request's line, then the file, which stays the caller's.</summary>
internal sealed class RequestThenFile(byte[] line, Stream file) : Stream
{
    private int _sent;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) =>
        TryLine(buffer.AsSpan(offset, count), out var read) ? read : file.Read(buffer, offset, count);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        TryLine(buffer.Span, out var read) ? ValueTask.FromResult(read) : file.ReadAsync(buffer, cancellationToken);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private bool TryLine(Span<byte> buffer, out int read)
    {
        read = Math.Min(buffer.Length, line.Length - _sent);
        line.AsSpan(_sent, read).CopyTo(buffer);
        _sent += read;
        return read > 0;
    }
}
