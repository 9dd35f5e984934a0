using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Memory;

internal sealed partial class MemorySpool : ISpool
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Kept> _messages = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Kept(SpooledMessage message, byte[] content)
    {
        public SpooledMessage Message { get; set; } = message;

        public byte[] Content { get; } = content;

        public int Change(Func<SpooledRecipient, bool> which, Func<SpooledRecipient, SpooledRecipient> change)
        {
            var changed = Message.Recipients.Count(which);
            Message = Message with { Recipients = [.. Message.Recipients.Select(r => which(r) ? change(r) : r)] };
            return changed;
        }
    }

    public MemoryFaults Faults { get; } = new();

    public SpoolHealth Health =>
        Failed.IsCompleted ? SpoolHealth.Failed : Faults.DiskLow ? SpoolHealth.DiskLow : SpoolHealth.Accepting;

    public Task Failed => _failed.Task;

    public bool HasRoomFor(long bytes) => Health == SpoolHealth.Accepting && bytes < long.MaxValue / 2;

    public string WhyNoRoom => Failed.IsCompleted ? "the store failed" : "no room in memory";

    public IPendingMessage Begin(QueueId id) => new Submission(this, id);

    public ValueTask<IReadOnlyList<SpooledMessage>> ClaimDueAsync(DateTimeOffset now, int messagesMax, CancellationToken cancel)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            bool Due(SpooledRecipient r) => r.State == RecipientState.Due && r.NextAttemptAt <= now;
            var claimed = _messages.Values.Where(kept => kept.Message.Recipients.Any(Due))
                .OrderBy(kept => kept.Message.Recipients.Where(Due).Min(r => r.NextAttemptAt)).Take(messagesMax).ToList();
            var result = new List<SpooledMessage>();
            foreach (var kept in claimed)
            {
                var numbers = kept.Message.Recipients.Where(Due).Select(r => r.Number).ToHashSet();
                kept.Change(Due, r => r with { State = RecipientState.InProgress });
                result.Add(View(kept, r => numbers.Contains(r.Number)));
            }

            return ValueTask.FromResult<IReadOnlyList<SpooledMessage>>(result);
        }
    }

    public ValueTask<DateTimeOffset?> NextDueAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(_messages.Values.SelectMany(kept => kept.Message.Recipients)
                .Where(r => r.State == RecipientState.Due).Select(r => (DateTimeOffset?)r.NextAttemptAt).Min());
        }
    }

    public async ValueTask ReleaseClaimAsync(QueueId id, IReadOnlyList<int> recipients, CancellationToken cancel) =>
        await ChangeAsync(id, kept => kept.Change(
            r => recipients.Contains(r.Number) && r.State == RecipientState.InProgress, r => r with { State = RecipientState.Due }));

    public ValueTask RecordAsync(IReadOnlyList<RecipientOutcome> outcomes, IReadOnlyList<NewMessage> reports, CancellationToken cancel)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            foreach (var outcome in outcomes)
            {
                if (!_messages.TryGetValue(outcome.Id.ToString(), out var kept))
                {
                    continue;
                }

                kept.Change(r => r.Number == outcome.Number && r.State == RecipientState.InProgress, r => r with
                {
                    State = outcome.State,
                    NextAttemptAt = outcome.NextAttemptAt,
                    Attempts = r.Attempts + (outcome.CountsAsAttempt ? 1 : 0),
                    LastReply = outcome.KeptReply,
                    DelayReported = outcome.DelayReported,
                });
                if (kept.Message.Recipients.All(r => r.State >= RecipientState.Relayed))
                {
                    _messages.Remove(outcome.Id.ToString());
                }
            }

            foreach (var report in reports)
            {
                Keep(report.Id, report.Record, [.. report.Header.Span, .. report.Body.Span], claim: false);
            }

            return ValueTask.CompletedTask;
        }
    }

    public ValueTask<IContentReader?> OpenContentAsync(QueueId id, CancellationToken cancel)
    {
        lock (_gate)
        {
#pragma warning disable CA2000 // the caller disposes it
            return ValueTask.FromResult<IContentReader?>(
                _messages.TryGetValue(id.ToString(), out var kept) ? new Reader(kept.Content) : null);
#pragma warning restore CA2000
        }
    }

    public ValueTask<IReadOnlyList<SpooledMessage>> ListAsync(QueueFilter filter, CancellationToken cancel)
    {
        static bool Has(string? part, string? text) =>
            part is null || (text ?? "").Contains(part, StringComparison.OrdinalIgnoreCase);
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<SpooledMessage>>([.. _messages.Values.Select(kept => kept.Message)
                .Where(m => filter.Site is null || m.Record.Site == filter.Site)
                .Where(m => filter.Login is null || m.Record.Login == filter.Login)
                .Where(m => Has(filter.Sender, m.Record.Envelope.ReversePath.Mailbox?.ToString()))
                .Where(m => filter.After is null || string.CompareOrdinal(m.Id.ToString(), filter.After.ToString()) > 0)
                .Where(m => filter.State is null || m.Recipients.Any(r => r.State == filter.State))
                .Where(m => filter.Recipient is null || m.Recipients.Any(r => Has(filter.Recipient, r.Path.Mailbox.ToString())))
                .Take(filter.MessagesMax).Select(m => m with { Content = null })]);
        }
    }

    public ValueTask<SpooledMessage?> FindAsync(QueueId id, CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(_messages.TryGetValue(id.ToString(), out var kept) ? View(kept, _ => true) : null);
        }
    }

    public ValueTask<SpoolTotals> TotalsAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            var rows = _messages.Values.SelectMany(kept => kept.Message.Recipients).ToList();
            long Count(RecipientState state) => rows.Count(r => r.State == state);
            return ValueTask.FromResult(new SpoolTotals(_messages.Count, rows.Count, Count(RecipientState.Due),
                Count(RecipientState.InProgress), Count(RecipientState.Held), _messages.Values.Sum(kept => kept.Message.ContentBytes),
                _messages.Values.Select(kept => (DateTimeOffset?)kept.Message.Record.ReceivedAt).Min()));
        }
    }

    public ValueTask<int> HoldAsync(QueueId id, string reason, CancellationToken cancel) => ChangeAsync(id, kept =>
    {
        var held = kept.Change(r => r.State == RecipientState.Due, r => r with { State = RecipientState.Held });
        if (held > 0)
        {
            kept.Message = kept.Message with { Record = kept.Message.Record with { HoldReason = reason } };
        }

        return held;
    });

    public ValueTask<int> ReleaseHeldAsync(QueueId id, CancellationToken cancel) => ChangeAsync(id, kept =>
    {
        kept.Message = kept.Message with { Record = kept.Message.Record with { HoldReason = null } };
        return kept.Change(r => r.State == RecipientState.Held,
            r => r with { State = RecipientState.Due, NextAttemptAt = DateTimeOffset.UnixEpoch });
    });

    public ValueTask<int> RetryNowAsync(QueueId id, DateTimeOffset now, CancellationToken cancel) =>
        ChangeAsync(id, kept => kept.Change(r => r.State == RecipientState.Due, r => r with { NextAttemptAt = now }));

    public ValueTask<bool> RemoveAsync(QueueId id, CancellationToken cancel)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            return ValueTask.FromResult(_messages.TryGetValue(id.ToString(), out var kept)
                && kept.Message.Recipients.All(r => r.State != RecipientState.InProgress) && _messages.Remove(id.ToString()));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ValueTask<int> ChangeAsync(QueueId id, Func<Kept, int> change)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            return ValueTask.FromResult(_messages.TryGetValue(id.ToString(), out var kept) ? change(kept) : 0);
        }
    }

    private void ThrowIfFailed()
    {
        if (_failed.Task.IsCompleted)
        {
            throw new StoreException("the store failed and takes nothing more until a restart");
        }
    }

    private static SpooledMessage View(Kept kept, Func<SpooledRecipient, bool> which)
    {
        var record = kept.Message.Record;
        var envelope = record.Envelope with { Recipients = [.. record.Envelope.Recipients.Where((_, i) => which(kept.Message.Recipients[i]))] };
        return kept.Message with
        {
            Content = null,
            Record = record with { Envelope = envelope },
            Recipients = [.. kept.Message.Recipients.Where(which)],
        };
    }

    private SpooledMessage Keep(QueueId id, MessageRecord record, byte[] content, bool claim)
    {
        var state = record.HoldReason is not null ? RecipientState.Held : claim ? RecipientState.InProgress : RecipientState.Due;
        var message = new SpooledMessage(id, record, content.Length, [.. record.Envelope.Recipients.Select((r, i) =>
            new SpooledRecipient(i, r.Path, r.Notify, r.OriginalRecipient, state, 0, record.ReceivedAt, "", false))],
            state == RecipientState.InProgress ? (ReadOnlyMemory<byte>?)content : null);
        _messages.Add(id.ToString(), new Kept(message, content));
        return message;
    }

    private async Task<CommitResult> CommitAsync(Submission submission, QueueId id, MessageRecord record, byte[] content, bool claim)
    {
        await Faults.CommitGate;
        lock (_gate)
        {
            if (submission.IsWithdrawn)
            {
                return new CommitResult.Withdrawn();
            }

            if (Faults.FailNextCommit)
            {
                _failed.TrySetResult();
            }

            if (Failed.IsCompleted)
            {
                return new CommitResult.StoreFailed("the store failed");
            }

            return Faults.DiskLow ? new CommitResult.NoRoom(WhyNoRoom) : new CommitResult.Durable(Keep(id, record, content, claim));
        }
    }

    /// <summary>Removes a message just committed, unless it was committed as due and somebody has claimed it since.</summary>
    private bool TakeBack(QueueId id, bool claimedByUs)
    {
        lock (_gate)
        {
            return !_failed.Task.IsCompleted && _messages.TryGetValue(id.ToString(), out var kept)
                && (claimedByUs || kept.Message.Recipients.All(r => r.State is RecipientState.Due or RecipientState.Held))
                && _messages.Remove(id.ToString());
        }
    }

    private sealed class Submission(MemorySpool spool, QueueId id) : IPendingMessage
    {
        private readonly MemoryStream _body = new();
        private bool _claimed;
        private Task<CommitResult>? _commit;

        public bool IsWithdrawn { get; private set; }

        public async ValueTask WriteAsync(ReadOnlyMemory<byte> body, CancellationToken cancel)
        {
            await spool.Faults.WriteGate.WaitAsync(cancel);
            _body.Write(body.Span);
        }

        public ValueTask<CommitResult> CommitAsync(
            MessageRecord record, ReadOnlyMemory<byte> header, bool claim, CancellationToken cancel)
        {
            _claimed = claim;
            _commit = spool.CommitAsync(this, id, record, [.. header.Span, .. _body.ToArray()], claim);
            return new ValueTask<CommitResult>(_commit);
        }

        public async ValueTask<bool> WithdrawAsync()
        {
            lock (spool._gate)
            {
                IsWithdrawn = true;
            }

            return _commit is null || await _commit is not CommitResult.Durable || spool.TakeBack(id, _claimed);
        }

        public ValueTask DisposeAsync() => _body.DisposeAsync();
    }

    private sealed class Reader(byte[] content) : IContentReader
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
}
