using System.Buffers;
using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>Body octets wait in one buffer; once they are many, full chunks go to disk and only the last stays in memory.</summary>
internal sealed class SqlitePendingMessage(
    QueueId id, SqliteSpool spool, SqliteNode node, GroupWriter writer, SqliteStoreOptions options) : IPendingMessage
{
    private const int FirstBufferBytes = 4096;

    private byte[] _buffer = [];
    private int _buffered;
    private int _chunks;
    private long _bodyBytes;
    private ClaimToken _claim;
    private volatile bool _withdrawn;
    private CommitResult? _refusal;
    private Task<CommitResult>? _commit;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        _bodyBytes += body.Length;
        while (!body.IsEmpty && _refusal is null)
        {
            var room = Room(body.Length);
            var part = Math.Min(room, body.Length);
            body[..part].CopyTo(_buffer.AsMemory(_buffered));
            _buffered += part;
            body = body[part..];
            if (_buffered >= (_chunks == 0 ? options.BodyInMemoryBytes : options.ChunkBytes) && !body.IsEmpty)
            {
                try
                {
                    await StageAsync(cancel);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    _refusal = Refusal(exception);
                }
            }
        }
    }

    public async ValueTask<CommitResult> CommitAsync(
        MessageRecord record, ReadOnlyMemory<byte> header, bool claim, CancellationToken cancel)
    {
        _claim = claim ? node.Claim : ClaimToken.None;
        _commit = InsertAsync(record, header, cancel);
        return await _commit;
    }

    public async ValueTask<bool> WithdrawAsync()
    {
        _withdrawn = true; // seen on the writer's thread, before it inserts
        if (_commit is null || await _commit is not CommitResult.Durable)
        {
            return true;
        }

        try
        {
            return await writer.Enqueue(statements => SqliteSpool.TakeBack(statements, id, _claim), first: true);
        }
        catch (StoreException)
        {
            return false;
        }
    }

    private async Task<CommitResult> InsertAsync(MessageRecord record, ReadOnlyMemory<byte> header, CancellationToken cancel)
    {
        if (_refusal is not null)
        {
            return _refusal;
        }

        try
        {
            if (_chunks > 0 && _buffered > 0)
            {
                await StageAsync(cancel);
            }

            var content = GC.AllocateUninitializedArray<byte>(header.Length + _buffered); // the relay reads it: it cannot be pooled
            header.Span.CopyTo(content);
            _buffer.AsSpan(0, _buffered).CopyTo(content.AsSpan(header.Length));
            var insert = new MessageInsert(id, record, header.Length, content, header.Length + _bodyBytes, _chunks, _claim);
            var written = await writer.Enqueue(statements => !_withdrawn && insert.Apply(statements) > 0).WaitAsync(cancel);
            return written ? new CommitResult.Durable(insert.ToMessage()) : new CommitResult.Withdrawn();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return Refusal(exception);
        }
    }

    public ValueTask DisposeAsync()
    {
        if (_commit is { IsCompleted: false } commit)
        {
            _ = DropAfterAsync(commit);
        }
        else
        {
            Drop();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>A commit under way needs its chunks: whether they are to go is known when it has ended.</summary>
    private async Task DropAfterAsync(Task<CommitResult> commit)
    {
        await commit.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        Drop();
    }

    private void Drop()
    {
        GiveBackBuffer();
        if (_chunks > 0 && _commit is not { IsCompletedSuccessfully: true, Result: CommitResult.Durable })
        {
            // Nobody waits for it: what this misses the sweep at the next start takes.
            _ = writer.Enqueue(statements => statements.Run(
                "DELETE FROM chunk WHERE queue_id = ?1 AND NOT EXISTS (SELECT 1 FROM message WHERE queue_id = ?1)", id.ToString()));
        }
    }

    private CommitResult Refusal(Exception exception)
    {
        if (exception is SqliteException { IsFull: true })
        {
            spool.Room.MarkFull();
            return new CommitResult.NoRoom($"{exception.Message}: {spool.WhyNoRoom}");
        }

        return new CommitResult.StoreFailed(exception.Message);
    }

    private int Room(int wanted)
    {
        var limit = _chunks == 0 ? options.BodyInMemoryBytes : options.ChunkBytes;
        if (_buffered == _buffer.Length && _buffer.Length < limit)
        {
            var size = Math.Max(Math.Max(_buffer.Length * 2, FirstBufferBytes), Math.Min(_buffered + wanted, limit));
            var larger = ArrayPool<byte>.Shared.Rent(Math.Min(size, limit));
            _buffer.AsSpan(0, _buffered).CopyTo(larger);
            GiveBackBuffer();
            _buffer = larger;
        }

        return Math.Min(_buffer.Length, limit) - _buffered;
    }

    /// <summary>Only this class ever reads the buffer: what a write under way reads was handed over to it.</summary>
    private void GiveBackBuffer()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = [];
    }

    private async ValueTask StageAsync(CancellationToken cancel)
    {
        var (octets, length, first, claim) = (_buffer, _buffered, _chunks, node.Claim);
        _buffer = [];
        _buffered = 0;
        _chunks += (length + options.ChunkBytes - 1) / options.ChunkBytes;
        var write = writer.Enqueue(statements =>
        {
            for (var from = 0; from < length; from += options.ChunkBytes)
            {
                statements.Run("INSERT INTO chunk (queue_id, number, octets, claim) VALUES (?1, ?2, ?3, ?4)",
                    id.ToString(), first + (from / options.ChunkBytes), octets.AsMemory(from, Math.Min(options.ChunkBytes, length - from)),
                    claim.Value);
            }

            return length;
        });
        await write.WaitAsync(cancel);
        ArrayPool<byte>.Shared.Return(octets); // not after a timeout: the write may still read it then
    }
}
