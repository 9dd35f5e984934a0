using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>What one attempt brought for one recipient.</summary>
/// <param name="Hop">Host, Maildir or route, for the log.</param>
internal sealed record Attempt(SpooledRecipient Recipient, RelayVerdict Verdict, string Hop)
{
    /// <summary>The server a report may quote: its name, or its address as a literal (RFC 3464 §2.1.2).</summary>
    public string RemoteMta { get; init; } = "";

    /// <summary>The next hop does DSN itself, so that a wish for SUCCESS went with the message.</summary>
    public bool HopReports { get; init; } = true;

    /// <summary>Largest message the host takes, as far as it said; 0 when it did not.</summary>
    public long SizeMax { get; init; }

    /// <summary>Nothing was tried: due again at this time. Null when something was.</summary>
    public DateTimeOffset? UntriedUntil { get; init; }

    /// <summary>Deferred, in our own words.</summary>
    public static Attempt Local(SpooledRecipient recipient, RelayFailure failure, Reply why, string hop) =>
        new(recipient, new RelayVerdict(recipient.Number, VerdictKind.Deferred, why) { IsLocal = true, Failure = failure }, hop);
}
