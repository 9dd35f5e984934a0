using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>Body octets wait in one buffer; once they are many, full chunks go to disk and only the last stays in memory.</summary>
internal sealed class SqlitePendingMessage(QueueId id, SqliteSpool spool, GroupWriter writer, SqliteStoreOptions options) : IPendingMessage
{
    private const int FirstBufferBytes = 4096;

    private byte[] _buffer = [];
    private int _buffered;
    private int _chunks;
    private long _bodyBytes;
    private bool _claimed;
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
        _claimed = claim;
        _commit = InsertAsync(record, header, claim, cancel);
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
            return await writer.Enqueue(statements => SqliteSpool.TakeBack(statements, id, _claimed), first: true);
        }
        catch (StoreException)
        {
            return false;
        }
    }

    private async Task<CommitResult> InsertAsync(
        MessageRecord record, ReadOnlyMemory<byte> header, bool claim, CancellationToken cancel)
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

            var content = new byte[header.Length + _buffered];
            header.CopyTo(content);
            _buffer.AsSpan(0, _buffered).CopyTo(content.AsSpan(header.Length));
            var insert = new MessageInsert(id, record, header.Length, content, header.Length + _bodyBytes, _chunks, claim);
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
        _buffer = [];
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
            Array.Resize(ref _buffer, Math.Min(size, limit));
        }

        return Math.Min(_buffer.Length, limit) - _buffered;
    }

    private async ValueTask StageAsync(CancellationToken cancel)
    {
        var octets = _buffer.AsSpan(0, _buffered).ToArray();
        var first = _chunks;
        var pieces = (octets.Length + options.ChunkBytes - 1) / options.ChunkBytes;
        try
        {
            await writer.Enqueue(statements =>
            {
                for (var i = 0; i < pieces; i++)
                {
                    var from = i * options.ChunkBytes;
                    var piece = octets.AsSpan(from, Math.Min(options.ChunkBytes, octets.Length - from)).ToArray();
                    statements.Run("INSERT INTO chunk (queue_id, number, octets) VALUES (?1, ?2, ?3)", id.ToString(), first + i, piece);
                }

                return pieces;
            }).WaitAsync(cancel);
        }
        finally
        {
            _chunks += pieces;
            _buffered = 0;
        }
    }
}
