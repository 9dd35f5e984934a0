using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Tests.Fakes;

/// <summary>A spool that fails where the test says so, as one on a full or failing disk does, and works otherwise.</summary>
internal sealed class FaultySpool(ISpool inner) : ISpool
{
    /// <summary>Each may throw.</summary>
    public Action OnClaim { get; set; } = () => { };

    public Action<IReadOnlyList<NewMessage>> OnRecord { get; set; } = _ => { };

    public Action<QueueId> OnOpen { get; set; } = _ => { };

    /// <summary>May wrap what it is given.</summary>
    public Func<IPendingMessage, IPendingMessage> OnBegin { get; set; } = submission => submission;

    public SpoolHealth Health => inner.Health;

    public Task Failed => inner.Failed;

    public bool HasRoomFor(long bytes) => inner.HasRoomFor(bytes);

    public string WhyNoRoom => inner.WhyNoRoom;

    public IPendingMessage Begin(QueueId id) => OnBegin(inner.Begin(id));

    public ValueTask<IReadOnlyList<SpooledMessage>> ClaimDueAsync(DateTimeOffset now, int messagesMax, CancellationToken cancel)
    {
        OnClaim();
        return inner.ClaimDueAsync(now, messagesMax, cancel);
    }

    public ValueTask<DateTimeOffset?> NextDueAsync(CancellationToken cancel) => inner.NextDueAsync(cancel);

    public ValueTask ReleaseClaimsAsync(IReadOnlyList<ClaimedRecipients> claims, CancellationToken cancel) =>
        inner.ReleaseClaimsAsync(claims, cancel);

    public ValueTask<bool> RenewAsync(CancellationToken cancel) => inner.RenewAsync(cancel);

    public ValueTask<RecordResult> RecordAsync(
        IReadOnlyList<RecipientOutcome> outcomes, IReadOnlyList<NewMessage> reports, CancellationToken cancel)
    {
        OnRecord(reports);
        return inner.RecordAsync(outcomes, reports, cancel);
    }

    public ValueTask<IContentReader?> OpenContentAsync(QueueId id, CancellationToken cancel)
    {
        OnOpen(id);
        return inner.OpenContentAsync(id, cancel);
    }

    public ValueTask<IReadOnlyList<SpooledMessage>> ListAsync(QueueFilter filter, CancellationToken cancel) => inner.ListAsync(filter, cancel);

    public ValueTask<SpooledMessage?> FindAsync(QueueId id, CancellationToken cancel) => inner.FindAsync(id, cancel);

    public ValueTask<SpoolTotals> TotalsAsync(CancellationToken cancel) => inner.TotalsAsync(cancel);

    public ValueTask<int> HoldAsync(QueueId id, string reason, CancellationToken cancel) => inner.HoldAsync(id, reason, cancel);

    public ValueTask<int> ReleaseHeldAsync(QueueId id, CancellationToken cancel) => inner.ReleaseHeldAsync(id, cancel);

    public ValueTask<int> RetryNowAsync(QueueId id, DateTimeOffset now, CancellationToken cancel) => inner.RetryNowAsync(id, now, cancel);

    public ValueTask<bool> RemoveAsync(QueueId id, CancellationToken cancel) => inner.RemoveAsync(id, cancel);

    public ValueTask<IReadOnlyList<HeldGroup>> HeldAsync(string? login, int groupsMax, CancellationToken cancel) =>
        inner.HeldAsync(login, groupsMax, cancel);

    public ValueTask<BulkChange> HoldDueOfAsync(string login, string reason, CancellationToken cancel) =>
        inner.HoldDueOfAsync(login, reason, cancel);

    public ValueTask<BulkChange> ReleaseHeldOfAsync(string? login, int messagesMax, CancellationToken cancel) =>
        inner.ReleaseHeldOfAsync(login, messagesMax, cancel);

    public ValueTask<BulkChange> RemoveHeldOfAsync(string? login, int messagesMax, CancellationToken cancel) =>
        inner.RemoveHeldOfAsync(login, messagesMax, cancel);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
