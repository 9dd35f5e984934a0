using System.Text;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Submission;

/// <summary>Content that is complete: judged, its header prepared, past the stages, stored; then, and only then, the 250.</summary>
internal sealed class MessageCommit(SessionScope scope, SubmissionSession session, SessionAccounting accounting, SessionLog log)
{
    /// <summary>The reply is the last word on the message.</summary>
    public async ValueTask<Reply> RunAsync(ContentReceiver receiver, ContentFacts facts, Envelope envelope)
    {
        receiver.FinishHeader();
        var normalise = scope.Site.Options.Submission.BareNewlines == BareNewlines.Normalise;
        if ((facts.Verdict(scope.Limits, normalise) ?? receiver.Refusal) is { } refusal)
        {
            return Refuse(receiver, refusal, "content");
        }

        var now = scope.Time.GetUtcNow();
        var prepared = Prepare(receiver, envelope, now);
        if (prepared is HeaderResult.Refused refused)
        {
            return Refuse(receiver, refused.Reply, "header");
        }

        var ready = (HeaderResult.Ready)prepared;
        if (ready.Ungranted is { } author)
        {
            log.UngrantedSender(author.Field, author.Mailbox.ToString());
        }

        if (accounting.ReserveContentBytes(session.Grant!.Login, facts.Bytes, receiver.Id) is { } overLimit)
        {
            return overLimit;
        }

        var header = ready.Header;
        if (receiver.Stages is { } stages)
        {
            var staged = stages.Complete(header);
            if (staged.Refusal is { } byStage)
            {
                return stages.HasFailed ? byStage : Refuse(receiver, byStage, "content"); // a failure has been logged as what it is
            }

            header = staged.Header;
        }

        var record = new MessageRecord(envelope, now, session.Grant.Login, scope.Id, scope.Client, ready.MessageId)
        {
            HasEightBit = facts.EightBit,
            HasUtf8Header = !Ascii.IsValid(header.Span),
            HoldReason = accounting.ShouldHold(envelope),
        };
        return await CommitAsync(receiver, record, header, facts.Bytes);
    }

    private HeaderResult Prepare(ContentReceiver receiver, Envelope envelope, DateTimeOffset now)
    {
        var options = scope.Site.Options;
        return SubmissionHeader.Prepare(receiver.Header, new SubmissionFacts(options.Hostname, receiver.Id, now, session.HeloName, scope.Client,
            session.Tls, session.Grant!, envelope, options.Submission.ShowLogin, options.Submission.ShowClient), scope.Limits);
    }

    private Reply Refuse(ContentReceiver receiver, Reply refusal, string what)
    {
        if (refusal == Replies.StoreFailed && receiver.StoreFailure is { } cause)
        {
            log.NotStored(receiver.Id, "(content)", refusal, cause);
        }
        else
        {
            log.Refused(refusal, $"{receiver.Id} ({what})");
        }

        return refusal;
    }

    private async ValueTask<Reply> CommitAsync(
        ContentReceiver receiver, MessageRecord record, ReadOnlyMemory<byte> header, long receivedBytes)
    {
        var handoff = scope.Services.Handoff;
        var reservation = record.HoldReason is null ? handoff.TryReserve(receivedBytes + header.Length) : null;
        var began = scope.Time.GetTimestamp();
        var commit = receiver.Submission.CommitAsync(record, header, claim: reservation is not null, default).AsTask();
        CommitResult result;
        try
        {
            result = await commit.WaitAsync(scope.Timeouts.Commit, scope.Time);
        }
        catch (TimeoutException)
        {
            _ = WithdrawAsync(receiver.Submission, receiver.Id, reservation);
            log.NotStored(receiver.Id, "(commit)", Replies.CommitLate,
                $"the store took more than {scope.Timeouts.Commit.TotalSeconds:0} s over the commit");
            return Replies.CommitLate;
        }

        if (result is not CommitResult.Durable durable)
        {
            reservation?.Dispose();
            return NotStored(receiver.Id, result);
        }

        accounting.Committed(held: record.HoldReason is not null);
        scope.Services.Outcomes.Publish(new MailOutcome.MessageKept(
            receiver.Id, record.Login, record.Envelope.Recipients.Length, record.HoldReason, record.ReceivedAt));
        LogAccepted(receiver.Id, record, durable.Message.ContentBytes, scope.Time.GetElapsedTime(began));
        handoff.Committed(durable.Message, reservation);
        return Replies.Queued(receiver.Id);
    }

    private Reply NotStored(QueueId id, CommitResult result)
    {
        var (refusal, cause) = result switch
        {
            CommitResult.NoRoom full => (Replies.NoRoom, full.Why),
            CommitResult.StoreFailed failed => (Replies.StoreFailed, failed.Why),
            _ => (Replies.StoreFailed, "it was withdrawn"),
        };
        log.NotStored(id, "(commit)", refusal, cause);
        return refusal;
    }

    private void LogAccepted(QueueId id, MessageRecord record, long bytes, TimeSpan commitTime)
    {
        log.Write(new MailEvent.MessageAccepted(scope.Id, id, scope.Client, record.Login, record.Envelope.ReversePath.ToString(),
            record.Envelope.Recipients.Length, record.MessageId, bytes)
        {
            Held = record.HoldReason is not null,
            CommitTime = commitTime,
            Outage = session.Grant?.Outage ?? "",
        });
        if (record.HoldReason is { } reason)
        {
            log.Write(new MailEvent.MessageHeld(scope.Id, id, record.Login, record.Envelope.Recipients.Length, reason));
        }
    }

    /// <summary>The client was told 451 and keeps its message: what the store finishes later must not go out as well.</summary>
    private async Task WithdrawAsync(IPendingMessage submission, QueueId id, Handoff.Reservation? reservation)
    {
        try
        {
            if (!await submission.WithdrawAsync())
            {
                log.Write(new MailEvent.Problem(
                    $"{id} was kept after all when its client had been told 451: it may arrive twice, since the client sends it again"));
            }
        }
        catch (Exception exception)
        {
            log.Write(new MailEvent.Problem($"{id}, whose client was told 451, could not be taken back: {exception.Message}"));
        }
        finally
        {
            reservation?.Dispose();
        }
    }
}
