namespace Sallyport.Store.Memory;

/// <content>What is held, many messages at a time.</content>
internal sealed partial class MemorySpool
{
    public ValueTask<IReadOnlyList<HeldGroup>> HeldAsync(string? login, int groupsMax, CancellationToken cancel)
    {
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<HeldGroup>>(
            [
                .. Held(login).GroupBy(kept => (kept.Message.Record.Login, Reason: kept.Message.Record.HoldReason ?? "")).Select(Group)
                    .OrderByDescending(group => group.Messages).ThenBy(group => group.Login, StringComparer.Ordinal).Take(groupsMax),
            ]);
        }
    }

    public ValueTask<BulkChange> HoldDueOfAsync(string login, string reason, CancellationToken cancel) =>
        ChangeManyAsync(_messages.Values.Where(kept => kept.Message.Record.Login == login), kept =>
        {
            var held = kept.Change(r => r.State == RecipientState.Due, r => r with { State = RecipientState.Held });
            if (held > 0)
            {
                kept.Message = kept.Message with { Record = kept.Message.Record with { HoldReason = reason } };
            }

            return held;
        });

    public ValueTask<BulkChange> ReleaseHeldOfAsync(string? login, int messagesMax, CancellationToken cancel) =>
        ChangeManyAsync(Held(login).Take(messagesMax), kept =>
        {
            kept.Message = kept.Message with { Record = kept.Message.Record with { HoldReason = null } };
            return kept.Change(r => r.State == RecipientState.Held,
                r => r with { State = RecipientState.Due, NextAttemptAt = DateTimeOffset.UnixEpoch });
        });

    public ValueTask<BulkChange> RemoveHeldOfAsync(string? login, int messagesMax, CancellationToken cancel) => ChangeManyAsync(
        Held(login).Where(kept => kept.Message.Recipients.All(r => r.State != RecipientState.InProgress)).Take(messagesMax),
        kept => _messages.Remove(kept.Message.Id.ToString()) ? kept.Message.Recipients.Count(r => r.State < RecipientState.Relayed) : 0);

    private static HeldGroup Group(IGrouping<(string Login, string Reason), MemoryMessage> group)
    {
        var recipients = group.SelectMany(kept => kept.Message.Recipients.Where(r => r.State == RecipientState.Held).Select(
            r => new HeldSample(kept.Message.Record.Envelope.ReversePath.Mailbox?.ToString() ?? "", r.Path.Mailbox.ToString()))).ToList();
        return new(group.Key.Login, group.Key.Reason, group.Count(), recipients.Count, group.Min(kept => kept.Message.Record.ReceivedAt),
            group.Max(kept => kept.Message.Record.ReceivedAt), [.. recipients.Take(HeldGroup.SamplesMax)]);
    }

    private IEnumerable<MemoryMessage> Held(string? login) => _messages.Values.Where(kept =>
        (login is null || kept.Message.Record.Login == login) && kept.Message.Recipients.Any(r => r.State == RecipientState.Held));

    private ValueTask<BulkChange> ChangeManyAsync(IEnumerable<MemoryMessage> which, Func<MemoryMessage, int> change)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            var counts = which.ToList().ConvertAll(kept => change(kept)).FindAll(count => count > 0);
            return ValueTask.FromResult(new BulkChange(counts.Count, counts.Sum()));
        }
    }
}
