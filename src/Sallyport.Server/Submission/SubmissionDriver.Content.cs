using System.Buffers;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Submission;

/// <content>Content: received, judged, kept; then, and only then, the 250.</content>
public sealed partial class SubmissionDriver
{
    /// <summary>Content over the limit is followed to its end for the client to hear 552, but not without end.</summary>
    private const int FollowedTimes = 2;

    private ContentReceiver? _receiver;
    private ChunkDecoder? _chunks;
    private Pace? _pace;

    private async Task<SessionAction> ReceiveDataAsync(SessionAction.ReadData data, CancellationToken cancel)
    {
        if (MoreHasArrived())
        {
            return _session.Unpipelined(Verb.Data);
        }

        var decoder = new DataDecoder(_limits);
        await using var receiver = NewReceiver();
        Say(data.Reply);
        await FlushAsync();
        var pace = new Pace(_services.Time, _timeouts);
        var ended = false;
        while (!ended)
        {
            var buffer = await ReadContentAsync(pace);
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

            _wire.Input.AdvanceTo(end);
            if (!ended && decoder.Facts.Bytes / FollowedTimes > _limits.MessageBytes)
            {
                await SayLastAsync(Replies.TooBig(_limits.MessageBytes), "far more content than the limit");
            }

            await receiver.FlowAsync();
        }

        return _session.AnswerContent(await KeepAsync(receiver, decoder.Facts, data.Envelope));
    }

    private async Task<SessionAction?> ReceiveChunkAsync(SessionAction.ReadChunk chunk, CancellationToken cancel)
    {
        var discard = chunk.Discard is not null;
        if (!discard)
        {
            _receiver ??= NewReceiver();
            _chunks ??= new ChunkDecoder(_limits);
        }

        await FlushAsync();
        _pace ??= new Pace(_services.Time, _timeouts);
        for (var left = chunk.Bytes; left > 0;)
        {
            var buffer = await ReadContentAsync(_pace);
            var part = buffer.Slice(0, Math.Min(left, buffer.Length));
            left -= part.Length;
            if (!discard)
            {
                foreach (var segment in part)
                {
                    _chunks!.Decode(segment.Span, _receiver!.Decoded);
                }
            }

            _wire.Input.AdvanceTo(part.End);
            if (!discard)
            {
                await _receiver!.FlowAsync();
            }
        }

        if (discard)
        {
            await DropSubmissionAsync();
            Say(chunk.Discard!);
            return null;
        }

        return chunk.Last ? await FinishChunksAsync(chunk.Envelope!) : _session.AnswerChunk(_receiver!.Refusal);
    }

    private async Task<SessionAction> FinishChunksAsync(Envelope envelope)
    {
        _chunks!.Finish(_receiver!.Decoded);
        await _receiver.FlowAsync();
        var reply = await KeepAsync(_receiver, _chunks.Facts, envelope);
        await DropSubmissionAsync();
        return _session.AnswerContent(reply);
    }

    private async ValueTask DropSubmissionAsync()
    {
        if (_receiver is { } receiver)
        {
            _receiver = null;
            _chunks = null;
            await receiver.DisposeAsync();
        }
    }

    private ContentReceiver NewReceiver()
    {
        var id = _services.Ids.Next();
        return new ContentReceiver(id, _services.Spool.Begin(id), _limits, _timeouts.Commit, _services.Time);
    }

    /// <summary>The next octets of content; at least one. Too long a silence, or too slow a trickle, ends the session.</summary>
    private async ValueTask<ReadOnlySequence<byte>> ReadContentAsync(Pace pace)
    {
        _deadline.Arm(_timeouts.DataBlock);
        pace.Begin();
        var there = _wire.Input.TryRead(out var result);
        while (true)
        {
            result = there ? result : await _wire.Input.ReadAsync();
            if (!result.Buffer.IsEmpty && (there || !_deadline.HasRunOut))
            {
                _deadline.Disarm();
                if (pace.IsTooSlowWith(result.Buffer.Length))
                {
                    await SayLastAsync(Replies.TooSlow, "too slow");
                }

                return result.Buffer;
            }

            there = false; // an end, or a read called off: it has to be given back before the next
            _wire.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (_deadline.HasRunOut)
            {
                await SayLastAsync(Replies.TimedOut, "timed out within the content");
            }

            if (result.IsCompleted)
            {
                throw new WireLostException("the client left within the content");
            }
        }
    }

    /// <summary>Judges what was received and commits it. The reply is the last word on the message.</summary>
    private async Task<Reply> KeepAsync(ContentReceiver receiver, ContentFacts facts, Envelope envelope)
    {
        receiver.FinishHeader();
        var options = _settings.Options.Submission;
        var refusal = facts.Verdict(_limits, options.BareNewlines == BareNewlines.Normalise) ?? receiver.Refusal;
        if (refusal is not null)
        {
            LogRefusal(refusal, $"{receiver.Id} (content)");
            return refusal;
        }

        var now = _services.Time.GetUtcNow();
        var prepared = SubmissionHeader.Prepare(receiver.Header, new SubmissionFacts(_settings.Options.Hostname, receiver.Id, now,
            _session.HeloName, _client, _session.Tls, _session.Grant!, envelope, options.ShowLogin, options.ShowClient), _limits);
        if (prepared is HeaderResult.Refused refused)
        {
            LogRefusal(refused.Reply, $"{receiver.Id} (header)");
            return refused.Reply;
        }

        var ready = (HeaderResult.Ready)prepared;
        if (ready.Ungranted is { } author)
        {
            LogUngranted(author.Field, author.Mailbox.ToString());
        }

        var record = new MessageRecord(envelope, now, _session.Grant!.Login, SessionId, _client, ready.MessageId)
        {
            HasEightBit = facts.EightBit,
            HasUtf8Header = !System.Text.Ascii.IsValid(ready.Header.Span),
        };
        if (WeighContent(facts.Bytes, receiver.Id) is { } overLimit)
        {
            return overLimit;
        }

        return await CommitAsync(receiver, record with { HoldReason = ShouldHold(envelope) }, ready, facts.Bytes);
    }

    private async Task<Reply> CommitAsync(ContentReceiver receiver, MessageRecord record, HeaderResult.Ready ready, long receivedBytes)
    {
        var bytes = receivedBytes + ready.Header.Length;
        var claim = record.HoldReason is null && _services.Handoff.TryReserve(bytes);
        var commit = receiver.Submission.CommitAsync(record, ready.Header, claim, default).AsTask();
        CommitResult result;
        try
        {
            result = await commit.WaitAsync(_timeouts.Commit, _services.Time);
        }
        catch (TimeoutException)
        {
            _ = WithdrawAsync(receiver.Submission, receiver.Id, claim, bytes);
            LogRefusal(Replies.CommitLate, receiver.Id.ToString());
            return Replies.CommitLate;
        }

        if (result is not CommitResult.Durable durable)
        {
            Release(claim, bytes);
            var refusal = result is CommitResult.NoRoom ? Replies.NoRoom : Replies.StoreFailed;
            LogRefusal(refusal, receiver.Id.ToString());
            return refusal;
        }

        _sending?.Committed(held: record.HoldReason is not null);
        _services.Outcomes.Publish(new MailOutcome.MessageKept(
            receiver.Id, record.Login, record.Envelope.Recipients.Length, record.HoldReason, record.ReceivedAt));
        _services.Log.Write(new MailEvent.MessageAccepted(SessionId, receiver.Id, _client, record.Login,
            record.Envelope.ReversePath.ToString(), record.Envelope.Recipients.Length, record.MessageId, durable.Message.ContentBytes)
        { Held = record.HoldReason is not null, Outage = _session.Grant?.Outage ?? "" });
        if (record.HoldReason is { } reason)
        {
            _services.Log.Write(new MailEvent.MessageHeld(SessionId, receiver.Id, record.Login, record.Envelope.Recipients.Length, reason));
        }

        _services.Handoff.Committed(durable.Message, claim ? bytes : null);
        return Replies.Queued(receiver.Id);
    }

    /// <summary>The client was told 451 and keeps its message: what the store finishes later must not go out as well.</summary>
    private async Task WithdrawAsync(IPendingMessage submission, QueueId id, bool claim, long bytes)
    {
        try
        {
            if (!await submission.WithdrawAsync())
            {
                _services.Log.Write(new MailEvent.Problem(
                    $"{id} was kept after all when its client had been told 451: it may arrive twice, since the client sends it again"));
            }
        }
        catch (Exception exception)
        {
            _services.Log.Write(new MailEvent.Problem($"{id}, whose client was told 451, could not be taken back: {exception.Message}"));
        }
        finally
        {
            Release(claim, bytes);
        }
    }

    private void Release(bool claim, long bytes)
    {
        if (claim)
        {
            _services.Handoff.Forget(bytes);
        }
    }

    /// <summary>
    /// Octets per second of the time a message's content was waited for, over all its chunks; judged only after the first data block's
    /// time. What the store takes and what lies between two chunks does not count.
    /// </summary>
    private sealed class Pace(TimeProvider time, TimeoutOptions timeouts)
    {
        private long _began;
        private TimeSpan _waited;
        private long _bytes;

        public void Begin() => _began = time.GetTimestamp();

        public bool IsTooSlowWith(long bytes)
        {
            _waited += time.GetElapsedTime(_began);
            _bytes += bytes;
            return _waited > timeouts.DataBlock && _bytes < _waited.TotalSeconds * timeouts.DataBytesPerSecondMin;
        }
    }
}
