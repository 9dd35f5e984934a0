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
/// <param name="RemoteMta">Who said it; empty when we did.</param>
public sealed record ReportedRecipient(SpooledRecipient Recipient, string Reply, string RemoteMta);
