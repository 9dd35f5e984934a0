using System.Buffers;

namespace Sallyport.Server.Submission;

/// <summary>A buffer of decoded content that is lent from a pool and given back with its session, not made for each message.</summary>
internal sealed class PooledWriter : IBufferWriter<byte>, IDisposable
{
    private const int SizeFirst = 16 * 1024;

    private byte[] _buffer = [];
    private int _written;

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _written);

    public void Clear() => _written = 0;

    public void Advance(int count) => _written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _buffer.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _buffer.AsSpan(_written);
    }

    /// <summary>Leaves the buffer to whoever may still read it, and never gives it back.</summary>
    public void Abandon() => (_buffer, _written) = ([], 0);

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            Abandon();
        }
    }

    private void EnsureRoom(int sizeHint)
    {
        if (_buffer.Length - _written >= Math.Max(sizeHint, 1))
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(SizeFirst, Math.Max(_buffer.Length * 2, _written + sizeHint)));
        Written.CopyTo(larger);
        var written = _written;
        Dispose();
        (_buffer, _written) = (larger, written);
    }
}
