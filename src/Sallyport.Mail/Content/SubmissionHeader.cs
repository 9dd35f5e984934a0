using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Content;

/// <summary>What the header is prepared from.</summary>
/// <param name="ShowLogin">Names the login in Received.</param>
/// <param name="ShowClient">Names the client's address and EHLO name in Received.</param>
public sealed record SubmissionFacts(
    string Hostname,
    QueueId Id,
    DateTimeOffset Now,
    string HeloName,
    string ClientAddress,
    TlsFacts? Tls,
    Grant Grant,
    Envelope Envelope,
    bool ShowLogin,
    bool ShowClient);

public abstract record HeaderResult
{
    private HeaderResult()
    {
    }

    /// <param name="Header">Everything up to and with the empty line.</param>
    /// <param name="Ungranted">An author that is not the login's and passed since the login's mode is not to refuse; null for none.</param>
    public sealed record Ready(ReadOnlyMemory<byte> Header, string MessageId, Author? Ungranted) : HeaderResult;

    public sealed record Refused(Reply Reply) : HeaderResult;
}

/// <summary>
/// The fix-ups of RFC 6409 §4.2 and §8: a prefix with Received and, when missing, From, Date and Message-ID; Bcc and Return-Path taken
/// out; a mailbox without a domain completed in its place. What stays of the client's header keeps its octets, and the body is never
/// looked at, so signed mail passes as it is.
/// </summary>
public static class SubmissionHeader
{
    private const int OwnHopsMax = 3;

    private static readonly string[] AuthorFields = ["From", "Sender", "Resent-From", "Resent-Sender"];
    private static readonly string[] Addressed = ["Reply-To", "To", "Cc", "Resent-To", "Resent-Cc"];
    private static readonly string[] Dropped = ["Bcc", "Resent-Bcc", "Return-Path"];

    public static HeaderResult Prepare(ReadOnlyMemory<byte> header, SubmissionFacts facts, SmtpLimits limits)
    {
        var (block, refusal) = HeaderBlock.Parse(header, limits, facts.Envelope.SmtpUtf8);
        if (block is null)
        {
            return new HeaderResult.Refused(refusal!);
        }

        refusal = CheckHops(block, facts.Hostname, limits);
        var gaps = new Dictionary<HeaderField, List<int>>();
        var authors = ImmutableArray<Author>.Empty;
        if (refusal is null)
        {
            (authors, refusal) = ReadAuthors(block, facts.Grant, gaps);
        }

        if (refusal is null && SenderPolicy.CheckAuthors(facts.Grant, authors) is { } ungranted)
        {
            refusal = Replies.SenderNotGranted(ungranted);
        }

        if (refusal is null && !block.Has("From") && OwnAddress(facts.Grant) is null)
        {
            refusal = new Reply(550, new(5, 6, 0), "The message has no From header");
        }

        if (refusal is not null)
        {
            return new HeaderResult.Refused(refusal);
        }

        FindGaps(block, facts.Grant, gaps);
        return Write(block, facts, gaps, SenderPolicy.FirstUngrantedAuthor(facts.Grant, authors));
    }

    /// <summary>The login itself when it is an address.</summary>
    private static Mailbox? OwnAddress(Grant grant) => MailboxParser.TryParse(grant.Login, out var mailbox) ? mailbox : null;

    /// <summary>
    /// Every mailbox of From and Sender. RFC 6409 §4.2 lets a submission server complete a domain: "jane" becomes jane@ the domain of
    /// the login, if that is then one of its addresses. Nothing else is guessed.
    /// </summary>
    private static (ImmutableArray<Author> Authors, Reply? Refusal) ReadAuthors(
        HeaderBlock block, Grant grant, Dictionary<HeaderField, List<int>> gaps)
    {
        var authors = ImmutableArray.CreateBuilder<Author>();
        foreach (var field in block.Fields)
        {
            var name = AuthorFields.FirstOrDefault(field.Is);
            if (name is null)
            {
                continue;
            }

            var mailboxes = new List<Mailbox>();
            var names = new List<string>();
            var comments = new List<string>();
            if (!TryRead(block, field, grant, mailboxes, gaps, names, comments) || mailboxes.Count == 0)
            {
                return ([], new Reply(550, new(5, 6, 0), $"The addresses in the {name} header cannot be read (RFC 5322 section 3.4)"));
            }

            if (AuthorNames.Check(name, names, comments, grant) is { } deceptive)
            {
                return ([], deceptive);
            }

            authors.AddRange(mailboxes.Select(mailbox => new Author(name, mailbox)));
        }

        return (authors.ToImmutable(), null);
    }

    /// <summary>Recipients are completed too, where they can be read; where not, that is between author and reader.</summary>
    private static void FindGaps(HeaderBlock block, Grant grant, Dictionary<HeaderField, List<int>> gaps)
    {
        foreach (var field in block.Fields.Where(field => Addressed.Any(field.Is)))
        {
            TryRead(block, field, grant, [], gaps, [], []);
        }
    }

    private static bool TryRead(
        HeaderBlock block, HeaderField field, Grant grant, List<Mailbox> mailboxes, Dictionary<HeaderField, List<int>> gaps,
        List<string> names, List<string> comments)
    {
        var missing = new List<int>();
        var value = block.Octets.Span[field.ValueStart..field.End];
        if (!AddressListParser.TryParse(value, mailboxes, OwnAddress(grant)?.Domain, missing, names, comments))
        {
            return false;
        }

        if (missing.Count > 0)
        {
            gaps[field] = missing;
        }

        return true;
    }

    private static Reply? CheckHops(HeaderBlock block, string hostname, SmtpLimits limits)
    {
        var hops = 0;
        var own = 0;
        foreach (var field in block.Fields)
        {
            if (field.Is("Received"))
            {
                hops++;
                var value = field.Unfold(block.Octets.Span).Replace('\t', ' '); // our own "by" stands behind a tab
                own += value.Contains(" by " + hostname + " ", StringComparison.OrdinalIgnoreCase) ? 1 : 0;
            }
        }

        return hops > limits.Hops || own >= OwnHopsMax
            ? new Reply(554, new(5, 4, 6), "The message loops: it has been here or elsewhere too often")
            : null;
    }

    private static HeaderResult.Ready Write(
        HeaderBlock block, SubmissionFacts facts, Dictionary<HeaderField, List<int>> gaps, Author? ungranted)
    {
        var header = new ArrayBufferWriter<byte>(block.Octets.Length + 512);
        var messageId = block.ValueOf("Message-ID");
        Put(header, Received(facts));
        if (messageId.Length == 0)
        {
            messageId = $"<{facts.Id}@{facts.Hostname}>";
            Put(header, $"Message-ID: {messageId}\r\n");
        }

        if (!block.Has("Date"))
        {
            Put(header, $"Date: {MailDate.Of(facts.Now)}\r\n");
        }

        if (!block.Has("From"))
        {
            Put(header, $"From: <{OwnAddress(facts.Grant)}>\r\n");
        }

        // RFC 6409 §8.1: who really sent it, where From may say another.
        var named = ungranted is not null && facts.Grant.Mode == SenderMode.Rewrite;
        if (named)
        {
            Put(header, $"Sender: <{SenderPolicy.OwnAddress(facts.Grant)}>\r\n");
        }

        var octets = block.Octets.Span;
        foreach (var field in block.Fields)
        {
            if (!IsDropped(field, octets, facts.Hostname) && !(named && field.Is("Sender")))
            {
                Put(header, octets, field, gaps.GetValueOrDefault(field) ?? [], "@" + OwnAddress(facts.Grant)?.Domain);
            }
        }

        if (!header.WrittenSpan.EndsWith("\r\n"u8))
        {
            header.Write("\r\n"u8);
        }

        header.Write("\r\n"u8);
        return new HeaderResult.Ready(header.WrittenMemory, messageId, ungranted);
    }

    /// <summary>The field as it came, with the domain put in where one was missing.</summary>
    private static void Put(ArrayBufferWriter<byte> header, ReadOnlySpan<byte> octets, HeaderField field, List<int> gaps, string domain)
    {
        var from = field.Start;
        foreach (var gap in gaps)
        {
            header.Write(octets[from..(field.ValueStart + gap)]);
            Put(header, domain);
            from = field.ValueStart + gap;
        }

        header.Write(octets[from..field.End]);
    }

    /// <summary>Bcc would tell the others; a result "by us" that came from outside is forged (RFC 8601 §5); an empty Message-ID is none.</summary>
    private static bool IsDropped(HeaderField field, ReadOnlySpan<byte> octets, string hostname) =>
        Dropped.Any(field.Is)
        || (field.Is("Message-ID") && field.Unfold(octets).Length == 0)
        || (field.Is("Authentication-Results") && AuthenticationResults.IsBy(hostname, octets[field.ValueStart..field.End]));

    /// <summary>
    /// RFC 5321 §4.4. Unless configured, "from" carries no trace of the user's place or device; the log has both under the queue id.
    /// The single recipient is named, several never are.
    /// </summary>
    private static string Received(SubmissionFacts facts)
    {
        var protocol = facts.Envelope.SmtpUtf8 ? "UTF8SMTP" : "ESMTP";
        var text = new StringBuilder("Received: from ");
        text.Append(facts.ShowClient ? $"{SafeName(facts.HeloName)} ({AddressLiteral(facts.ClientAddress)})" : "[127.0.0.1] (client hidden)");
        if (facts.ShowLogin)
        {
            text.Append("\r\n\t(authenticated as ").Append(SafeComment(facts.Grant.Login)).Append(')');
        }

        text.Append("\r\n\tby ").Append(facts.Hostname).Append(" (Sallyport) with ").Append(protocol)
            .Append(facts.Tls is null ? "A" : "SA").Append(" id ").Append(facts.Id);
        if (facts.Envelope.Recipients is [var only])
        {
            text.Append("\r\n\tfor ").Append(only.Path);
        }

        return text.Append(";\r\n\t").Append(MailDate.Of(facts.Now)).Append("\r\n").ToString();
    }

    private static string AddressLiteral(string address) =>
        address.Contains(':', StringComparison.Ordinal) ? $"[IPv6:{address}]" : $"[{address}]";

    private static string SafeName(string name) =>
        name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '[' or ']' or ':' or '_') ? name : "unknown";

    private static string SafeComment(string text) =>
        string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '@' or '_' or '+' or '/' or '=' or ' ' ? c : '?'));

    private static void Put(ArrayBufferWriter<byte> header, string text)
    {
        var span = header.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        header.Advance(Encoding.UTF8.GetBytes(text, span));
    }
}
