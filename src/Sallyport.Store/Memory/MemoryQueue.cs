namespace Sallyport.Store.Memory;

/// <summary>What all clients of one store in memory share: the messages, and whose claims they are.</summary>
internal sealed class MemoryQueue
{
    private long _lastClaim;

    public Lock Gate { get; } = new();

    public MemoryFaults Faults { get; } = new();

    public TaskCompletionSource Failed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SortedDictionary<string, MemoryMessage> Messages { get; } = new(StringComparer.Ordinal);

    public Dictionary<ClaimToken, (string Name, DateTimeOffset ExpiresAt)> Nodes { get; } = [];

    public ClaimToken Register(string name, DateTimeOffset now)
    {
        var claim = new ClaimToken(++_lastClaim);
        Nodes.Add(claim, (name, now + NodeLease.Duration));
        return claim;
    }

    public void TakeOverExpired(ClaimToken mine, DateTimeOffset now) =>
        Nodes.Where(node => node.Key != mine && node.Value.ExpiresAt <= now).Select(node => node.Key).ToList().ForEach(Revoke);

    public void Revoke(ClaimToken claim)
    {
        Nodes.Remove(claim);
        foreach (var kept in Messages.Values)
        {
            kept.Change(r => kept.IsClaimed(r, claim), r => r with { State = RecipientState.Due });
        }
    }
}

internal sealed class MemoryMessage(SpooledMessage message, byte[] content)
{
    private readonly Dictionary<int, ClaimToken> _claims = [];

    public SpooledMessage Message { get; set; } = message;

    public byte[] Content { get; } = content;

    public int Change(Func<SpooledRecipient, bool> which, Func<SpooledRecipient, SpooledRecipient> change)
    {
        var changed = Message.Recipients.Where(which).Select(r => r.Number).ToHashSet();
        Message = Message with { Recipients = [.. Message.Recipients.Select(r => changed.Contains(r.Number) ? change(r) : r)] };
        return changed.Count;
    }

    public void Claim(IEnumerable<int> recipients, ClaimToken claim)
    {
        foreach (var number in recipients)
        {
            _claims[number] = claim;
        }
    }

    public bool IsClaimed(SpooledRecipient recipient, ClaimToken claim) =>
        recipient.State == RecipientState.InProgress && _claims.GetValueOrDefault(recipient.Number) == claim;

    /// <summary>The message with some of its recipients, as a reader of the spool gets it.</summary>
    public SpooledMessage View(Func<SpooledRecipient, bool> which)
    {
        var record = Message.Record;
        var envelope = record.Envelope with { Recipients = [.. record.Envelope.Recipients.Where((_, i) => which(Message.Recipients[i]))] };
        return Message with
        {
            Content = null,
            Record = record with { Envelope = envelope },
            Recipients = [.. Message.Recipients.Where(which)],
        };
    }
}
