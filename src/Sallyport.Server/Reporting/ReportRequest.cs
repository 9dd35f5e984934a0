using System.Collections.Immutable;
using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Server.Reporting;

/// <summary>Everything a report says.</summary>
/// <param name="ReportId">Queue id of the report itself.</param>
/// <param name="About">The message it is about.</param>
/// <param name="OriginalHeader">Its header block, with the empty line.</param>
/// <param name="OriginalContent">Header and body when the whole message goes back (RET=FULL and small enough).</param>
/// <param name="RetryUntil">For a delay: when we give up.</param>
public sealed record ReportRequest(
    QueueId ReportId,
    DateTimeOffset Now,
    string Hostname,
    SpooledMessage About,
    ReportKind Kind,
    ImmutableArray<ReportedRecipient> Recipients,
    ReadOnlyMemory<byte> OriginalHeader,
    ReadOnlyMemory<byte>? OriginalContent,
    DateTimeOffset? RetryUntil);

/// <param name="Reply">The whole last reply, or our own reason, on one line.</param>
/// <param name="RemoteMta">The server that answered last; empty when none did.</param>
/// <param name="RemoteReply">What it said, where <paramref name="Reply"/> is our own reason; null when that is what it said.</param>
public sealed record ReportedRecipient(SpooledRecipient Recipient, string Reply, string RemoteMta, string? RemoteReply = null);
