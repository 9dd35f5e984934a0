using System.Text;
using MimeKit;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Reporting;
using Sallyport.Store;

namespace Sallyport.Fuzz.Targets;

/// <summary>What a next hop said, and the header of a message, in a report on it (RFC 3464): ASCII, parsed by another, three parts.</summary>
public static class ReportTarget
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    private static readonly QueueId Id = QueueId.TryParse("ABCDEF", out var id) ? id : default;

    public static void Fuzz(ReadOnlySpan<byte> octets)
    {
        var parts = Encoding.UTF8.GetString(octets).Split('\n', 3);
        var header = octets.ToArray();
        var path = new ForwardPath(Mailbox("bob@example.com"));
        var envelope = new Envelope(new ReversePath(Mailbox("jane@acme.test")), [new EnvelopeRecipient(path, DsnNotify.Unspecified, null)],
            BodyType.SevenBit, false, null, null);
        var recipient = new SpooledRecipient(0, path, DsnNotify.Unspecified, null, RecipientState.Failed, 1, Now, parts[0], false);
        var about = new SpooledMessage(Id, new MessageRecord(envelope, Now, "", "", "", ""), header.Length, [recipient]);
        var report = ReportComposer.Compose(new ReportRequest(Id, Now, "smtp.acme.test", about, ReportKind.Failed,
            [new ReportedRecipient(recipient, parts[0], parts.Length > 1 ? parts[1] : "", parts.Length > 2 ? parts[2] : null)], header, null, null));
        byte[] whole = [.. report.Header.Span, .. report.Body.Span];
        BrokenInvariantException.Unless(Ascii.IsValid(whole), "a report to an ASCII address is ASCII");
        using var stream = new MemoryStream(whole);
        var parsed = MimeMessage.Load(stream);
        BrokenInvariantException.Unless(parsed.Body is MultipartReport { Count: 2 or 3 }, "a report has its parts");
    }

    private static Mailbox Mailbox(string text) =>
        MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new ArgumentException(text, nameof(text));
}
