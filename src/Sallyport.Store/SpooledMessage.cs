using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;

namespace Sallyport.Store;

/// <summary>What is known of a message when it is kept.</summary>
/// <param name="Login">Who submitted it; empty for a report of our own.</param>
/// <param name="SessionId">Ties it to the log lines of its session.</param>
/// <param name="ClientAddress">Where it came from; never leaves the server unless configured.</param>
/// <param name="MessageId">The Message-ID header, for the log; may be empty.</param>
public sealed record MessageRecord(
    Envelope Envelope,
    DateTimeOffset ReceivedAt,
    string Login,
    string SessionId,
    string ClientAddress,
    string MessageId)
{
    /// <summary>The tenant whose message it is.</summary>
    public string Site { get; init; } = ISiteStore.DefaultName;

    /// <summary>True when the content has an octet above 127.</summary>
    public bool HasEightBit { get; init; }

    /// <summary>True when the header block as it leaves has an octet above 127: only an SMTPUTF8 next hop can take it.</summary>
    public bool HasUtf8Header { get; init; }

    /// <summary>Set when policy wants the message held from the start.</summary>
    public string? HoldReason { get; init; }
}

/// <summary>A message of our own making, kept whole in memory: a report.</summary>
public sealed record NewMessage(QueueId Id, MessageRecord Record, ReadOnlyMemory<byte> Header, ReadOnlyMemory<byte> Body);

/// <summary>A message in the spool with the recipients asked for: those claimed, or all for the operator.</summary>
/// <param name="ContentBytes">Header and body as they will leave.</param>
/// <param name="Content">The content itself when it is small and was just accepted; otherwise it is read from the spool.</param>
public sealed record SpooledMessage(
    QueueId Id,
    MessageRecord Record,
    long ContentBytes,
    ImmutableArray<SpooledRecipient> Recipients,
    ReadOnlyMemory<byte>? Content = null)
{
    /// <summary>Room taken in the <see cref="Handoff"/>; null for a message claimed from the spool.</summary>
    public Handoff.Reservation? Reservation { get; init; }

    /// <summary>With which its recipients "in progress" were claimed.</summary>
    public ClaimToken Claim { get; init; }
}

/// <summary>A recipient's row.</summary>
/// <param name="Number">Its place in the envelope, from 0; with the queue id its name.</param>
/// <param name="Attempts">Attempts made so far.</param>
/// <param name="NextAttemptAt">Meaningful while due.</param>
/// <param name="LastReply">The next hop's last reply or our own reason; empty at first.</param>
/// <param name="DelayReported">True once the sender was told of the delay.</param>
public sealed record SpooledRecipient(
    int Number,
    ForwardPath Path,
    DsnNotify Notify,
    string? OriginalRecipient,
    RecipientState State,
    int Attempts,
    DateTimeOffset NextAttemptAt,
    string LastReply,
    bool DelayReported);

/// <summary>A recipient is in exactly one state. Numbers are stored: they only grow.</summary>
public enum RecipientState
{
    Due = 0,
    InProgress = 1,
    Held = 2,
    Relayed = 3,
    Failed = 4,
}

/// <summary>What became of one recipient in one attempt.</summary>
/// <param name="State">Due (try again at <paramref name="NextAttemptAt"/>), Held, Relayed or Failed.</param>
/// <param name="Reply">The next hop's reply or our own reason, escaped, at most 2 KiB.</param>
/// <param name="CountsAsAttempt">False when nothing was really tried.</param>
public sealed record RecipientOutcome(
    QueueId Id,
    int Number,
    RecipientState State,
    DateTimeOffset NextAttemptAt,
    string Reply,
    bool DelayReported,
    bool CountsAsAttempt = true)
{
    public const int ReplyLengthMax = 2048;

    /// <summary>That of the message the recipient was claimed with: <see cref="SpooledMessage.Claim"/>.</summary>
    public ClaimToken Claim { get; init; }

    /// <summary>The reply as it is kept.</summary>
    public string KeptReply => Shorten(Reply);

    /// <summary>
    /// At most <see cref="ReplyLengthMax"/>, never cut within a character. A next hop may say 800 KB; a bounce about a hundred
    /// recipients is not to have 80 MB.
    /// </summary>
    public static string Shorten(string reply) =>
        reply.Length <= ReplyLengthMax ? reply : reply[..(ReplyLengthMax - (char.IsHighSurrogate(reply[ReplyLengthMax - 4]) ? 4 : 3))] + "...";
}

/// <param name="State">Only messages with a recipient in this state.</param>
/// <param name="After">Only messages after this one, for paging.</param>
public sealed record QueueFilter(
    RecipientState? State = null,
    string? Login = null,
    string? Sender = null,
    string? Recipient = null,
    QueueId? After = null,
    int MessagesMax = 100,
    string? Site = null);

public sealed record SpoolTotals(long Messages, long Recipients, long Due, long InProgress, long Held, long Bytes, DateTimeOffset? OldestReceivedAt);

/// <summary>What is held of one login for one reason.</summary>
/// <param name="Login">Empty for reports of our own.</param>
/// <param name="Recipients">Those held.</param>
/// <param name="Oldest">When the first of these messages came.</param>
/// <param name="Samples">Some of the recipients, each with the sender of its message.</param>
public sealed record HeldGroup(
    string Login, string Reason, long Messages, long Recipients, DateTimeOffset Oldest, DateTimeOffset Newest, ImmutableArray<HeldSample> Samples)
{
    /// <summary>Samples of one group.</summary>
    public const int SamplesMax = 5;
}

/// <param name="Sender">Empty for the null path.</param>
public sealed record HeldSample(string Sender, string Recipient);

/// <summary>What a change of many messages has changed.</summary>
public sealed record BulkChange(int Messages, int Recipients);
