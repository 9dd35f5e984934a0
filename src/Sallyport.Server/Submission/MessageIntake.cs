using Sallyport.Mail.Smtp;
using Sallyport.Server.Intake;

namespace Sallyport.Server.Submission;

/// <summary>Content: read with DATA or in chunks with BDAT, decoded, and handed to the commit.</summary>
internal sealed class MessageIntake(
    SessionScope scope, SubmissionSession session, ContentInput input, ReplyWriter replies, MessageCommit commit)
{
    /// <summary>Content over the limit is followed to its end for the client to hear 552, but not without end.</summary>
    private const int FollowedTimes = 2;

    private ContentReceiver? _receiver;
    private ChunkDecoder? _chunks;

    public async ValueTask<SessionAction> ReceiveDataAsync(SessionAction.ReadData data)
    {
        var decoder = new DataDecoder(scope.Limits);
        await using var receiver = NewReceiver(data.Envelope);
        replies.Say(data.Reply);
        await replies.FlushAsync();
        input.Reset();
        var ended = false;
        while (!ended)
        {
            var buffer = await input.ReadAsync();
            var end = buffer.Start;
            foreach (var segment in buffer)
            {
                ended = decoder.Decode(segment.Span, receiver.Decoded, out var consumed);
                end = buffer.GetPosition(consumed, end);
                if (ended)
                {
                    break;
                }
            }

            input.Advance(end);
            if (!ended && decoder.Facts.Bytes / FollowedTimes > scope.Limits.MessageBytes)
            {
                await replies.SayLastAsync(Replies.TooBig(scope.Limits.MessageBytes), "far more content than the limit");
            }

            await receiver.FlowAsync();
        }

        return session.AnswerContent(await commit.RunAsync(receiver, decoder.Facts, data.Envelope));
    }

    /// <summary>One chunk. Null when it was thrown away and answered.</summary>
    public async ValueTask<SessionAction?> ReceiveChunkAsync(SessionAction.ReadChunk chunk)
    {
        var discard = chunk.Discard is not null;
        if (!discard && _receiver is null)
        {
            _receiver = NewReceiver(chunk.Envelope!);
            _chunks = new ChunkDecoder(scope.Limits);
        }

        await replies.FlushAsync();
        for (var left = chunk.Bytes; left > 0;)
        {
            var buffer = await input.ReadAsync();
            var part = buffer.Slice(0, Math.Min(left, buffer.Length));
            left -= part.Length;
            if (!discard)
            {
                foreach (var segment in part)
                {
                    _chunks!.Decode(segment.Span, _receiver!.Decoded);
                }
            }

            input.Advance(part.End);
            if (!discard)
            {
                await _receiver!.FlowAsync();
            }
        }

        if (discard)
        {
            await DropAsync();
            replies.Say(chunk.Discard!);
            return null;
        }

        return chunk.Last ? await FinishChunksAsync(chunk.Envelope!) : session.AnswerChunk(_receiver!.Refusal);
    }

    /// <summary>The transaction is over, and what had arrived of its message with it.</summary>
    public async ValueTask DropAsync()
    {
        input.Reset();
        if (_receiver is { } receiver)
        {
            _receiver = null;
            _chunks = null;
            await receiver.DisposeAsync();
        }
    }

    private async ValueTask<SessionAction> FinishChunksAsync(Envelope envelope)
    {
        _chunks!.Finish(_receiver!.Decoded);
        await _receiver.FlowAsync();
        var reply = await commit.RunAsync(_receiver, _chunks.Facts, envelope);
        await DropAsync();
        return session.AnswerContent(reply);
    }

    private ContentReceiver NewReceiver(Envelope envelope)
    {
        var services = scope.Services;
        var id = services.Ids.Next();
        var stages = services.Content.Begin(new ContentOrigin(ContentSource.Submission, id, session.Grant!.Login, envelope));
        return new ContentReceiver(id, services.Spool.Begin(id), stages, scope.Limits, scope.Timeouts.Commit, scope.Time);
    }
}
