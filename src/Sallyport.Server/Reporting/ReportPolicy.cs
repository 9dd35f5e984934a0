using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Server.Reporting;

public enum ReportKind
{
    Failed,
    Delayed,

    /// <summary>Handed to a next hop that reports nothing itself (RFC 3461 §6.2.2).</summary>
    Relayed,

    /// <summary>Kept by a route that captures: it has arrived (RFC 3461 §4.1).</summary>
    Delivered,
}

/// <summary>Whether the sender is told (RFC 3461 §4.1, §5.2). Nobody is told about a report: the null path ends every loop.</summary>
public static class ReportPolicy
{
    public static bool IsOwed(MessageRecord record, SpooledRecipient recipient, ReportKind kind)
    {
        if (record.Envelope.ReversePath.IsNull || recipient.Notify.HasFlag(DsnNotify.Never))
        {
            return false;
        }

        if (recipient.Notify == DsnNotify.Unspecified)
        {
            return kind is ReportKind.Failed or ReportKind.Delayed;
        }

        return recipient.Notify.HasFlag(kind switch
        {
            ReportKind.Failed => DsnNotify.Failure,
            ReportKind.Delayed => DsnNotify.Delay,
            _ => DsnNotify.Success,
        });
    }
}
