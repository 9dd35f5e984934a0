namespace Sallyport.Store.Memory;

internal sealed class MemoryContentReader(byte[] content) : IContentReader
{
    private bool _read;

    public long Length => content.Length;

    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancel)
    {
        var piece = _read ? default : content.AsMemory();
        _read = true;
        return ValueTask.FromResult<ReadOnlyMemory<byte>>(piece);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
