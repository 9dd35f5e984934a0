using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using MimeKit;
using MimeKit.Utils;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Store;

namespace Sallyport.Server.Reporting;

/// <summary>
/// Writes delivery status notifications (RFC 3464, RFC 6533) that their reader understands. A report to an ASCII address is ASCII
/// all through, whatever it is about: it must pass the very server that could not carry the message. To an address that is not, its
/// octets are ASCII too: only the envelope asks for SMTPUTF8.
/// </summary>
public static class ReportComposer
{
    private const int WrapColumns = 72;
    private const int FoldColumns = 200;
    private const int PieceRunes = 100;

    /// <summary>The report, ready for the spool: from the null path to the sender of the message it is about.</summary>
    public static NewMessage Compose(ReportRequest request)
    {
        var sender = request.About.Record.Envelope.ReversePath.Mailbox
            ?? throw new ArgumentException("a message from the null path is never reported on", nameof(request));
        request = ReportBounds.Apply(request);
        var to = Reachable(sender);
        var international = to.NeedsSmtpUtf8;
        using var content = new MemoryStream();
        using (var report = new MultipartReport("delivery-status"))
        {
            report.Add(new TextPart("plain") { Text = Words(request), ContentTransferEncoding = ContentEncoding.QuotedPrintable });
            report.Add(Status(request, international));
            if (!(request.OriginalContent ?? request.OriginalHeader).IsEmpty)
            {
                report.Add(Original(request, international));
            }

            WriteHeader(content, request, to, report);
            report.WriteTo(Format(), content, contentOnly: true);
        }

        var octets = content.ToArray();
        var bodyAt = octets.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        var body = EndsWithNewline(octets) ? octets.AsMemory(bodyAt) : (byte[])[.. octets.AsSpan(bodyAt), .. "\r\n"u8];
        var envelope = new Envelope(ReversePath.Null, [new EnvelopeRecipient(new ForwardPath(to), DsnNotify.Unspecified, null)],
            BodyType.SevenBit, international, null, null);
        var record = new MessageRecord(envelope, request.Now, "", "", "", MessageId(request)) { HasEightBit = !Ascii.IsValid(octets) };
        return new NewMessage(request.ReportId, record, octets.AsMemory(0, bodyAt), body);
    }

    /// <summary>An international domain has an ASCII form, which every server takes; a local part has none.</summary>
    private static Mailbox Reachable(Mailbox sender) =>
        sender.NeedsSmtpUtf8 && MailboxParser.TryParse($"{sender.LocalPart}@{sender.AsciiDomain}", out var ascii) ? ascii! : sender;

    private static FormatOptions Format()
    {
        var format = FormatOptions.Default.Clone();
        format.NewLineFormat = NewLineFormat.Dos;
        return format;
    }

    /// <summary>Written by hand, so that each line is ours: nothing a client or a remote server said gets into it unchecked.</summary>
    private static void WriteHeader(MemoryStream content, ReportRequest request, Mailbox sender, MultipartReport report)
    {
        var header = new StringBuilder();
        header.Append(
            CultureInfo.InvariantCulture, $"Received: by {request.Hostname} (Sallyport) id {request.ReportId};\r\n\t{MailDate.Of(request.Now)}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"Date: {MailDate.Of(request.Now)}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"From: Mail Delivery System <MAILER-DAEMON@{request.Hostname}>\r\n");
        header.Append(CultureInfo.InvariantCulture, $"To: {To(sender)}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"Subject: {Subject(request.Kind)}\r\n");
        header.Append(CultureInfo.InvariantCulture, $"Message-ID: {MessageId(request)}\r\n");
        header.Append("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
        header.Append(CultureInfo.InvariantCulture,
            $"Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{report.Boundary}\"\r\n\r\n");
        content.Write(Encoding.UTF8.GetBytes(header.ToString()));
    }

    /// <summary>An address that is not ASCII cannot stand in an ASCII header: an empty group bears its name (RFC 6857 §3.1.8).</summary>
    private static string To(Mailbox sender) => sender.NeedsSmtpUtf8
        ? Encoding.ASCII.GetString(Rfc2047.EncodePhrase(Encoding.UTF8, sender.ToString())) + " :;"
        : $"<{sender}>";

    private static string MessageId(ReportRequest request) => $"<{request.ReportId}@{request.Hostname}>";

    private static string Subject(ReportKind kind) => kind switch
    {
        ReportKind.Failed => "Undelivered mail: your message could not be delivered",
        ReportKind.Delayed => "Delayed mail: your message is still on its way",
        ReportKind.Delivered => "Delivered mail: your message has arrived",
        _ => "Relayed mail: your message was passed on",
    };

    private static string Words(ReportRequest request)
    {
        var text = new StringBuilder();
        text.Append(request.Kind switch
        {
            ReportKind.Failed => "Your message could not be delivered to the recipients below.\r\nThey will not get it unless you send it again.\r\n",
            ReportKind.Delayed => "Your message has not reached the recipients below yet.\r\nYou need not do anything: we keep trying"
                + (request.RetryUntil is { } until ? " until " + MailDate.Of(until) : "") + "\r\nand tell you if it fails for good.\r\n",
            ReportKind.Delivered => "Your message has arrived for the recipients below.\r\n",
            _ => "Your message was passed on for the recipients below, to a server that\r\n"
                + "sends no confirmations: this is the last you hear of it.\r\n",
        });
        foreach (var recipient in request.Recipients)
        {
            text.Append("\r\n  ").Append(recipient.Recipient.Path.Mailbox).Append("\r\n");
            var said = recipient is { RemoteMta.Length: > 0, RemoteReply: null } ? $"The server {recipient.RemoteMta} said: " : "Reason: ";
            Wrap(text, said + recipient.Reply, "    ");
            Wrap(text, Advice.For(request.Kind, recipient.Reply), "    ");
        }

        text.Append("\r\nSent:       ").Append(MailDate.Of(request.About.Record.ReceivedAt));
        text.Append("\r\nMessage-ID: ").Append(DisplayText.Sanitize(request.About.Record.MessageId));
        text.Append("\r\nQueue id:   ").Append(request.About.Id).Append(" at ").Append(request.Hostname).Append("\r\n");
        return text.ToString();
    }

    private static void Wrap(StringBuilder text, string words, string indent)
    {
        var column = 0;
        foreach (var word in words.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (column > 0 && column + word.Length + 1 > WrapColumns)
            {
                text.Append("\r\n");
                column = 0;
            }

            text.Append(column == 0 ? indent : " ").Append(word);
            column += word.Length + (column == 0 ? indent.Length : 1);
        }

        if (column > 0)
        {
            text.Append("\r\n");
        }
    }

    private static MimePart Status(ReportRequest request, bool international)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Reporting-MTA: dns; {request.Hostname}\r\n");
        if (request.About.Record.Envelope.EnvelopeId is { } id)
        {
            text.Append(CultureInfo.InvariantCulture, $"Original-Envelope-Id: {DisplayText.Sanitize(id)}\r\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"Arrival-Date: {MailDate.Of(request.About.Record.ReceivedAt)}\r\n");
        foreach (var recipient in request.Recipients)
        {
            AppendRecipient(text, request, recipient, international);
        }

        var octets = Encoding.UTF8.GetBytes(international ? text.ToString() : Escaped(text.ToString()));
        return new MimePart("message", international ? "global-delivery-status" : "delivery-status")
        {
            Content = new MimeContent(new MemoryStream(octets)),
            ContentTransferEncoding = Ascii.IsValid(octets) ? ContentEncoding.SevenBit : ContentEncoding.QuotedPrintable,
        };
    }

    /// <summary>As utf-8-addr-xtext writes what is not ASCII (RFC 6533 §3).</summary>
    private static string Escaped(string text) => Ascii.IsValid(text) ? text : string.Concat(text.EnumerateRunes().Select(rune =>
        rune.IsAscii ? rune.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\x{{{rune.Value:X}}}")));

    private static void AppendRecipient(StringBuilder text, ReportRequest request, ReportedRecipient reported, bool international)
    {
        var mailbox = reported.Recipient.Path.Mailbox;
        text.Append("\r\n");
        if (reported.Recipient.OriginalRecipient is { } original)
        {
            text.Append(CultureInfo.InvariantCulture, $"Original-Recipient: {OneLine(original)}\r\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"Final-Recipient: {(mailbox.NeedsSmtpUtf8 ? "utf-8" : "rfc822")}; {mailbox}\r\n");
        text.Append("Action: ").Append(request.Kind switch
        {
            ReportKind.Failed => "failed",
            ReportKind.Delayed => "delayed",
            ReportKind.Delivered => "delivered",
            _ => "relayed",
        });
        text.Append("\r\nStatus: ").Append(StatusOf(request.Kind, reported.Reply)).Append("\r\n");
        if (reported.RemoteMta.Length > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"Remote-MTA: dns; {reported.RemoteMta}\r\n");
            var said = OneLine(reported.RemoteReply ?? reported.Reply);
            AppendFolded(text, "Diagnostic-Code: smtp; " + (international ? said : Escaped(said)));
        }

        text.Append(CultureInfo.InvariantCulture, $"Last-Attempt-Date: {MailDate.Of(request.Now)}\r\n");
        if (request is { Kind: ReportKind.Delayed, RetryUntil: { } until })
        {
            text.Append(CultureInfo.InvariantCulture, $"Will-Retry-Until: {MailDate.Of(until)}\r\n");
        }
    }

    /// <summary>A long reply is folded at its blanks, so that no line passes what mail can carry.</summary>
    private static void AppendFolded(StringBuilder text, string line)
    {
        var column = 0;
        foreach (var word in line.Split(' '))
        {
            foreach (var piece in word.EnumerateRunes().Chunk(PieceRunes).Select(runes => string.Concat(runes)).DefaultIfEmpty(""))
            {
                if (column + piece.Length > FoldColumns)
                {
                    text.Append("\r\n ");
                    column = 1;
                }

                text.Append(column > 1 ? " " : "").Append(piece);
                column += piece.Length + 1;
            }
        }

        text.Append("\r\n");
    }

    /// <summary>The enhanced code of the reply when it fits the action; else the general one (RFC 3463).</summary>
    private static string StatusOf(ReportKind kind, string reply)
    {
        var digit = kind switch
        {
            ReportKind.Failed => '5',
            ReportKind.Delayed => '4',
            _ => '2',
        };
        var code = Advice.EnhancedOf(reply);
        return code.StartsWith(digit) ? code : digit + ".0.0";
    }

    private static MimePart Original(ReportRequest request, bool international)
    {
        var octets = request.OriginalContent ?? request.OriginalHeader;
        var eightBit = !Ascii.IsValid(octets.Span);
        var part = (request.OriginalContent is not null, eightBit) switch
        {
            (true, false) => new MimePart("message", "rfc822"),
            (true, true) => new MimePart("message", "global"), // which may be encoded (RFC 6532 §3.7), as message/rfc822 may not
            (false, true) when international => new MimePart("message", "global-headers"),
            _ => new MimePart("text", "rfc822-headers"),
        };
        part.Content = new MimeContent(new MemoryStream(octets.ToArray()));
        part.ContentTransferEncoding = eightBit ? ContentEncoding.Base64 : ContentEncoding.SevenBit;
        return part;
    }

    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c));

    private static bool EndsWithNewline(byte[] octets) => octets.AsSpan().EndsWith("\r\n"u8);
}
