using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Memory;

/// <summary>The spool in memory, as one node sees it: claims are this node's.</summary>
internal sealed partial class MemorySpool : ISpool
{
    private readonly MemoryQueue _queue;
    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly Lock _gate;
    private readonly SortedDictionary<string, MemoryMessage> _messages;
    private ClaimToken _claim;

    public MemorySpool(MemoryQueue queue, string name, TimeProvider time)
    {
        (_queue, _name, _time, _gate, _messages) = (queue, name, time, queue.Gate, queue.Messages);
        lock (_gate)
        {
            queue.Nodes.Where(node => node.Value.Name == name).Select(node => node.Key).ToList().ForEach(queue.Revoke);
            _claim = queue.Register(name, _time.GetUtcNow());
        }
    }

    private MemoryFaults Faults => _queue.Faults;

    public SpoolHealth Health =>
        Failed.IsCompleted ? SpoolHealth.Failed : Faults.DiskLow ? SpoolHealth.DiskLow : SpoolHealth.Accepting;

    public Task Failed => _queue.Failed.Task;

    public bool HasRoomFor(long bytes) => Health == SpoolHealth.Accepting && bytes < long.MaxValue / 2;

    public string WhyNoRoom => Failed.IsCompleted ? "the store failed" : "no room in memory";

    public IPendingMessage Begin(QueueId id) => new Submission(this, id);

    public ValueTask<IReadOnlyList<SpooledMessage>> ClaimDueAsync(DateTimeOffset now, int messagesMax, CancellationToken cancel)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            _queue.TakeOverExpired(_claim, _time.GetUtcNow());
            EnsureLive();
            bool Due(SpooledRecipient r) => r.State == RecipientState.Due && r.NextAttemptAt <= now;
            var claimed = _messages.Values.Where(kept => kept.Message.Recipients.Any(Due))
                .OrderBy(kept => kept.Message.Recipients.Where(Due).Min(r => r.NextAttemptAt)).Take(messagesMax).ToList();
            var result = new List<SpooledMessage>();
            foreach (var kept in claimed)
            {
                var numbers = kept.Message.Recipients.Where(Due).Select(r => r.Number).ToHashSet();
                kept.Change(Due, r => r with { State = RecipientState.InProgress });
                kept.Claim(numbers, _claim);
                result.Add(kept.View(r => numbers.Contains(r.Number)) with { Claim = _claim });
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

    public ValueTask<bool> RenewAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            return ValueTask.FromResult(EnsureLive());
        }
    }

    public ValueTask ReleaseClaimsAsync(IReadOnlyList<ClaimedRecipients> claims, CancellationToken cancel)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            foreach (var claimed in claims)
            {
                _ = _messages.TryGetValue(claimed.Id.ToString(), out var kept)
                    && kept.Change(r => claimed.Numbers.Contains(r.Number) && kept.IsClaimed(r, claimed.Claim),
                        r => r with { State = RecipientState.Due }) > 0;
            }

            return ValueTask.CompletedTask;
        }
    }

    public ValueTask<RecordResult> RecordAsync(
        IReadOnlyList<RecipientOutcome> outcomes, IReadOnlyList<NewMessage> reports, CancellationToken cancel)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            var apart = outcomes.ToLookup(Record);
            if (outcomes.Count == 0 || apart[true].Any())
            {
                foreach (var report in reports)
                {
                    Keep(report.Id, report.Record, [.. report.Header.Span, .. report.Body.Span], claim: false);
                }
            }

            return ValueTask.FromResult(new RecordResult([.. apart[true]], [.. apart[false]]));
        }
    }

    public ValueTask<IContentReader?> OpenContentAsync(QueueId id, CancellationToken cancel)
    {
        lock (_gate)
        {
#pragma warning disable CA2000 // the caller disposes it
            return ValueTask.FromResult<IContentReader?>(
                _messages.TryGetValue(id.ToString(), out var kept) ? new MemoryContentReader(kept.Content) : null);
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
            return ValueTask.FromResult(_messages.TryGetValue(id.ToString(), out var kept) ? kept.View(_ => true) : null);
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

    /// <summary>What this node has claimed is due again, as at the clean end of a process.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _queue.Revoke(_claim);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>False when the outcome's claim is not the recipient's any more.</summary>
    private bool Record(RecipientOutcome outcome)
    {
        if (!_messages.TryGetValue(outcome.Id.ToString(), out var kept))
        {
            return false;
        }

        var recorded = kept.Change(r => r.Number == outcome.Number && kept.IsClaimed(r, outcome.Claim), r => r with
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

        return recorded > 0;
    }

    /// <summary>Prolongs the lease. False when it had been taken: there is a new one.</summary>
    private bool EnsureLive()
    {
        if (_queue.Nodes.ContainsKey(_claim))
        {
            _queue.Nodes[_claim] = (_name, _time.GetUtcNow() + NodeLease.Duration);
            return true;
        }

        _claim = _queue.Register(_name, _time.GetUtcNow());
        return false;
    }

    private ValueTask<int> ChangeAsync(QueueId id, Func<MemoryMessage, int> change)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            return ValueTask.FromResult(_messages.TryGetValue(id.ToString(), out var kept) ? change(kept) : 0);
        }
    }

    private void ThrowIfFailed()
    {
        if (_queue.Failed.Task.IsCompleted)
        {
            throw new StoreException("the store failed and takes nothing more until a restart");
        }
    }

    private SpooledMessage Keep(QueueId id, MessageRecord record, byte[] content, bool claim)
    {
        var state = record.HoldReason is not null ? RecipientState.Held
            : claim && _queue.Nodes.ContainsKey(_claim) ? RecipientState.InProgress : RecipientState.Due;
        var message = new SpooledMessage(id, record, content.Length, [.. record.Envelope.Recipients.Select((r, i) =>
            new SpooledRecipient(i, r.Path, r.Notify, r.OriginalRecipient, state, 0, record.ReceivedAt, "", false))],
            state == RecipientState.InProgress ? (ReadOnlyMemory<byte>?)content : null);
        var kept = new MemoryMessage(message, content);
        _messages.Add(id.ToString(), kept);
        if (state == RecipientState.InProgress)
        {
            kept.Claim([.. message.Recipients.Select(r => r.Number)], _claim);
        }

        return state == RecipientState.InProgress ? message with { Claim = _claim } : message;
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
                _queue.Failed.TrySetResult();
            }

            if (Failed.IsCompleted)
            {
                return new CommitResult.StoreFailed("the store failed");
            }

            return Faults.DiskLow ? new CommitResult.NoRoom(WhyNoRoom) : new CommitResult.Durable(Keep(id, record, content, claim));
        }
    }

    /// <summary>Removes a message just committed, unless it was committed as due and somebody has claimed it since.</summary>
    private bool TakeBack(QueueId id, ClaimToken ours)
    {
        lock (_gate)
        {
            return !_queue.Failed.Task.IsCompleted && _messages.TryGetValue(id.ToString(), out var kept)
                && kept.Message.Recipients.All(r => r.State is RecipientState.Due or RecipientState.Held || kept.IsClaimed(r, ours))
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

            return _commit is null || await _commit is not CommitResult.Durable || spool.TakeBack(id, _claimed ? spool._claim : ClaimToken.None);
        }

        public ValueTask DisposeAsync() => _body.DisposeAsync();
    }
}
