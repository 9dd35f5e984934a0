using Sallyport.Mail.Smtp;

namespace Sallyport.Store;

/// <summary>
/// Stands for one node's lease (a fencing token): each claim carries the one it was made with, and an outcome counts only while the
/// recipient still has it. A node whose lease was taken from it gets another, higher one.
/// </summary>
public readonly record struct ClaimToken(long Value)
{
    /// <summary>Of what nobody has claimed.</summary>
    public static ClaimToken None => default;
}

/// <summary>How long a node may be silent before others take over what it has claimed.</summary>
public static class NodeLease
{
    public static readonly TimeSpan Duration = TimeSpan.FromMinutes(2);

    /// <summary>Four tries within one lease: a stalled disk does not end it at once.</summary>
    public static readonly TimeSpan RenewedEvery = TimeSpan.FromSeconds(30);
}

/// <summary>Recipients of one message, as they were claimed.</summary>
public sealed record ClaimedRecipients(QueueId Id, ClaimToken Claim, IReadOnlyList<int> Numbers);

/// <param name="Recorded">On stable storage.</param>
/// <param name="Lost">
/// Not recorded: the claim was no longer ours. Another node has the recipient, or had it; what we relayed may arrive twice.
/// </param>
public sealed record RecordResult(IReadOnlyList<RecipientOutcome> Recorded, IReadOnlyList<RecipientOutcome> Lost);
