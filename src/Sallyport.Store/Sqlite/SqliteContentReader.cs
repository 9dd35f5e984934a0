using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>The first piece is what lies with the message, the others are its chunks, each looked up when it is asked for.</summary>
internal sealed class SqliteContentReader(QueueId id, byte[] first, int chunks, long length, Readers readers) : IContentReader
{
    private int _next = -1;

    public long Length => length;

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancel)
    {
        var number = _next++;
        if (number < 0)
        {
            return first;
        }

        if (number >= chunks)
        {
            return default;
        }

        var octets = await readers.ReadAsync(
            statements => statements.Octets("SELECT octets FROM chunk WHERE queue_id = ?1 AND number = ?2", id.ToString(), number), cancel);
        return octets ?? throw new StoreException($"chunk {number} of message {id} is gone");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
