using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using MimeKit;
using MimeKit.Utils;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Reporting;

/// <summary>What an alert says, and to whom.</summary>
/// <param name="Subject">Begins with the server's mark.</param>
public sealed record AlertWords(
    QueueId Id, DateTimeOffset Now, string Hostname, string From, ImmutableArray<string> To, string Subject, string Text);

/// <summary>Writes a mail to the administrator: ASCII all through, so that every server takes it.</summary>
public static class AlertComposer
{
    private const int SubjectCharactersMax = 150;

    /// <summary>Ready for the spool, from the null path: nothing is ever reported on it.</summary>
    public static NewMessage Compose(AlertWords words)
    {
        using var content = new MemoryStream();
        using var text = new TextPart("plain") { Text = words.Text, ContentTransferEncoding = ContentEncoding.QuotedPrintable };
        var header = new StringBuilder();
        header.Append(
            CultureInfo.InvariantCulture, $"Received: by {words.Hostname} (Sallyport) id {words.Id};\r\n\t{MailDate.Of(words.Now)}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"Date: {MailDate.Of(words.Now)}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"From: Sallyport <{words.From}>\r\n");
        header.Append(CultureInfo.InvariantCulture, $"To: {string.Join(",\r\n\t", words.To.Select(to => $"<{to}>"))}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"Subject: [Sallyport] {Subject(words.Subject)}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"Message-ID: <{words.Id}@{words.Hostname}>\r\n");
        header.Append("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
        header.Append("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
        var format = FormatOptions.Default.Clone();
        format.NewLineFormat = NewLineFormat.Dos;
        text.WriteTo(format, content, contentOnly: true);
        var recipients = words.To.Select(to => MailboxParser.TryParse(to, out var mailbox) ? mailbox : null).OfType<Mailbox>();
        var envelope = new Envelope(ReversePath.Null,
            [.. recipients.Select(to => new EnvelopeRecipient(new ForwardPath(to), DsnNotify.Unspecified, null))],
            BodyType.SevenBit, false, null, null);
        var record = new MessageRecord(envelope, words.Now, "", "", "", $"<{words.Id}@{words.Hostname}>");
        return new NewMessage(words.Id, record, Encoding.ASCII.GetBytes(header.ToString()), content.ToArray());
    }

    private static string Subject(string subject)
    {
        var clean = LogText.Clean(subject);
        var cut = clean.Length <= SubjectCharactersMax ? clean : clean[..SubjectCharactersMax] + "...";
        return Ascii.IsValid(cut) ? cut
            : Encoding.ASCII.GetString(Rfc2047.EncodeText(Encoding.UTF8, cut)).Replace("\n", "\r\n\t", StringComparison.Ordinal);
    }
}
