namespace Sallyport.Store;

/// <summary>Reads a message's content from the front. Memory does not grow with the message.</summary>
public interface IContentReader : IAsyncDisposable
{
    long Length { get; }

    /// <summary>The next piece, of any size up to a few hundred KiB; empty at the end. Valid until the next call.</summary>
    ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancel);
}
