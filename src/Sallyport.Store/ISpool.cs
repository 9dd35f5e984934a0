using Sallyport.Mail.Smtp;

namespace Sallyport.Store;

/// <summary>
/// The durable store of accepted messages. One set of contract tests runs against every implementation.
/// What a method reports done is on stable storage. A flush that failed is final: <see cref="Health"/> turns to
/// <see cref="SpoolHealth.Failed"/>, every later write is refused, and only a restart reads what is really on disk.
/// </summary>
public interface ISpool : IAsyncDisposable
{
    SpoolHealth Health { get; }

    /// <summary>Completes when <see cref="Health"/> turns to <see cref="SpoolHealth.Failed"/>.</summary>
    Task Failed { get; }

    /// <summary>May a message of this size begin? False below the disk floor (with SIZE counted in) or when failed.</summary>
    bool HasRoomFor(long bytes);

    /// <summary>What stands in the way of <see cref="HasRoomFor"/>, with the figures of the disk, for the log.</summary>
    string WhyNoRoom { get; }

    /// <summary>Starts to keep one message. Nothing of it is visible until the commit; disposed before that, it never was.</summary>
    IPendingMessage Begin(QueueId id);

    /// <summary>Hands due recipients of at most <paramref name="messagesMax"/> messages to this node, oldest attempt time first.</summary>
    /// <remarks>
    /// They are "in progress" until an outcome is recorded, the claim is released or this node's lease has run out and another node
    /// claims. What other nodes have claimed and let run out is due again with this call.
    /// </remarks>
    ValueTask<IReadOnlyList<SpooledMessage>> ClaimDueAsync(DateTimeOffset now, int messagesMax, CancellationToken cancel);

    /// <summary>The earliest time at which a recipient that is not in progress falls due; null when there is none.</summary>
    ValueTask<DateTimeOffset?> NextDueAsync(CancellationToken cancel);

    /// <summary>
    /// Gives claimed recipients back untouched, due at once, all in one commit: the relay had no room, or the server stops. Those whose
    /// claim was lost are left alone.
    /// </summary>
    ValueTask ReleaseClaimsAsync(IReadOnlyList<ClaimedRecipients> claims, CancellationToken cancel);

    /// <summary>Prolongs this node's lease by <see cref="NodeLease.Duration"/> from now.</summary>
    /// <returns>False when another node had taken over: what was claimed before is lost, what is claimed from now on has a new token.</returns>
    ValueTask<bool> RenewAsync(CancellationToken cancel);

    /// <summary>
    /// Records outcomes, and in the same commit keeps the reports they cause. When no recipient of a message is left
    /// unsettled its content is gone with the same commit. When not one outcome counts, no report is kept either.
    /// </summary>
    ValueTask<RecordResult> RecordAsync(IReadOnlyList<RecipientOutcome> outcomes, IReadOnlyList<NewMessage> reports, CancellationToken cancel);

    /// <summary>The content: header, then body, as it goes to the next hop. Null when the message is gone.</summary>
    ValueTask<IContentReader?> OpenContentAsync(QueueId id, CancellationToken cancel);

    /// <summary>For the operator: messages in order of acceptance.</summary>
    ValueTask<IReadOnlyList<SpooledMessage>> ListAsync(QueueFilter filter, CancellationToken cancel);

    ValueTask<SpooledMessage?> FindAsync(QueueId id, CancellationToken cancel);

    ValueTask<SpoolTotals> TotalsAsync(CancellationToken cancel);

    /// <summary>Due recipients become held. Returns how many; those in progress are left and finish their attempt.</summary>
    ValueTask<int> HoldAsync(QueueId id, string reason, CancellationToken cancel);

    /// <summary>Held recipients become due at once.</summary>
    ValueTask<int> ReleaseHeldAsync(QueueId id, CancellationToken cancel);

    /// <summary>Due recipients are due at once.</summary>
    ValueTask<int> RetryNowAsync(QueueId id, DateTimeOffset now, CancellationToken cancel);

    /// <summary>Removes the message without a report. False when unknown or when a recipient is in progress.</summary>
    ValueTask<bool> RemoveAsync(QueueId id, CancellationToken cancel);

    /// <summary>What is held, by login and reason; the most messages first.</summary>
    /// <param name="login">Only of this login; null for all.</param>
    ValueTask<IReadOnlyList<HeldGroup>> HeldAsync(string? login, int groupsMax, CancellationToken cancel);

    /// <summary>Due recipients of a login become held, of any number of its messages in one commit; those in progress are left.</summary>
    ValueTask<BulkChange> HoldDueOfAsync(string login, string reason, CancellationToken cancel);

    /// <summary>Held recipients become due at once, of at most so many messages in one commit, the oldest first.</summary>
    /// <param name="login">Of this login; null for all.</param>
    ValueTask<BulkChange> ReleaseHeldOfAsync(string? login, int messagesMax, CancellationToken cancel);

    /// <summary>
    /// Removes, without a report, at most so many messages that have a held recipient, whole, in one commit, the oldest first. A message
    /// with a recipient in progress is left.
    /// </summary>
    /// <param name="login">Of this login; null for all.</param>
    ValueTask<BulkChange> RemoveHeldOfAsync(string? login, int messagesMax, CancellationToken cancel);
}

/// <summary>One message on its way into the spool. Not shared between threads.</summary>
public interface IPendingMessage : IAsyncDisposable
{
    /// <summary>
    /// Appends body octets. Large bodies go to disk while they arrive; small ones wait in memory for the commit. What the disk
    /// refuses meanwhile the commit tells: further octets are taken and dropped.
    /// </summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> body, CancellationToken cancel);

    /// <summary>Commits together with whatever else waits. Only <see cref="CommitResult.Durable"/> may become a 250.</summary>
    /// <param name="claim">True: recipients start "in progress" here, and the result carries them to the relay without being read back.</param>
    ValueTask<CommitResult> CommitAsync(MessageRecord record, ReadOnlyMemory<byte> header, bool claim, CancellationToken cancel);

    /// <summary>
    /// Takes back a commit that nobody waits for any more: what is not written yet never will be, what is written is removed unless
    /// somebody has claimed it. Completes when the commit has ended.
    /// </summary>
    /// <returns>False when the message is in the spool all the same: the relay had it already, or the store failed meanwhile.</returns>
    ValueTask<bool> WithdrawAsync();
}

public enum SpoolHealth
{
    /// <summary>Messages are taken.</summary>
    Accepting,

    /// <summary>Below the disk floor: nothing new is taken, the queue still drains, it recovers by itself.</summary>
    DiskLow,

    /// <summary>A write or flush failed: nothing more is written until a restart.</summary>
    Failed,
}

public abstract record CommitResult
{
    private CommitResult()
    {
    }

    public sealed record Durable(SpooledMessage Message) : CommitResult;

    /// <summary>Taken back by <see cref="IPendingMessage.WithdrawAsync"/> before it was written.</summary>
    public sealed record Withdrawn : CommitResult;

    /// <summary>452 4.3.1: no room; the client keeps the message.</summary>
    /// <param name="Why">With the figures of the disk, for the log.</param>
    public sealed record NoRoom(string Why) : CommitResult;

    /// <summary>451 4.3.0: the store failed; whether it is on disk is only known after a restart, so the client keeps it.</summary>
    public sealed record StoreFailed(string Why) : CommitResult;
}
