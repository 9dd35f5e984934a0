using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;
using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Smtp;

/// <summary>One line without its CRLF → one command. Iterative, linear, throws nothing.</summary>
public static class CommandParser
{
    private const int ReplyTextMax = 40;

    public static Command Parse(ReadOnlySpan<byte> line)
    {
        if (OtherProtocolIn(line) is { } other)
        {
            return other;
        }

        var end = line.IndexOf((byte)' ');
        var verb = VerbOf(end < 0 ? line : line[..end]);
        if (line.ContainsAnyInRange((byte)0, (byte)31) || line.Contains((byte)127))
        {
            return verb switch
            {
                Verb.Unknown => new Command.Malformed(verb, Replies.UnknownCommand),
                Verb.Bdat => new Command.Malformed(verb, Replies.ChunkUnreadable, Fatal: true), // its octets would be read as commands
                _ => new Command.Malformed(verb, Replies.ForbiddenOctet),
            };
        }

        var rest = end < 0 ? default : line[end..].Trim((byte)' ');
        return verb switch
        {
            Verb.Ehlo or Verb.Helo => ParseHello(verb, rest),
            Verb.Mail => ParseMail(rest),
            Verb.Rcpt => ParseRcpt(rest),
            Verb.Bdat => ParseBdat(rest),
            Verb.Auth => ParseAuth(rest),
            Verb.StartTls or Verb.Data or Verb.Rset or Verb.Quit when !rest.IsEmpty =>
                new Command.Malformed(verb, Replies.BadParameters("This command takes no parameter")),
            _ => new Command.Plain(verb),
        };
    }

    /// <summary>For what is no line of ours, such as one ended by LF alone: another protocol's opening, or null.</summary>
    public static Command.OtherProtocol? OtherProtocolIn(ReadOnlySpan<byte> octets) =>
        OtherProtocols.Recognise(octets) is { } name ? new Command.OtherProtocol(name) : null;

    private static Verb VerbOf(ReadOnlySpan<byte> word)
    {
        if (word.Length is < 4 or > 8)
        {
            return Verb.Unknown;
        }

        Span<byte> upper = stackalloc byte[word.Length];
        Ascii.ToUpper(word, upper, out _);
        return upper switch
        {
            _ when upper.SequenceEqual("MAIL"u8) => Verb.Mail,
            _ when upper.SequenceEqual("RCPT"u8) => Verb.Rcpt,
            _ when upper.SequenceEqual("DATA"u8) => Verb.Data,
            _ when upper.SequenceEqual("BDAT"u8) => Verb.Bdat,
            _ when upper.SequenceEqual("EHLO"u8) => Verb.Ehlo,
            _ when upper.SequenceEqual("HELO"u8) => Verb.Helo,
            _ when upper.SequenceEqual("AUTH"u8) => Verb.Auth,
            _ when upper.SequenceEqual("STARTTLS"u8) => Verb.StartTls,
            _ when upper.SequenceEqual("RSET"u8) => Verb.Rset,
            _ when upper.SequenceEqual("NOOP"u8) => Verb.Noop,
            _ when upper.SequenceEqual("QUIT"u8) => Verb.Quit,
            _ when upper.SequenceEqual("VRFY"u8) => Verb.Vrfy,
            _ when upper.SequenceEqual("HELP"u8) => Verb.Help,
            _ when upper.SequenceEqual("EXPN"u8) => Verb.Expn,
            _ when upper.SequenceEqual("ETRN"u8) => Verb.Etrn,
            _ => Verb.Unknown,
        };
    }

    private static Command ParseHello(Verb verb, ReadOnlySpan<byte> name)
    {
        // RFC 5321 §4.1.4: a name that cannot be verified, or is none, is no reason to refuse; what cannot be shown is.
        var valid = !name.IsEmpty && name.Length <= MailboxParser.DomainBytesMax && !name.Contains((byte)' ') && Utf8.IsValid(name);
        return valid
            ? new Command.Hello(verb == Verb.Ehlo, Encoding.UTF8.GetString(name))
            : new Command.Malformed(verb, Replies.BadParameters("EHLO needs your host name"));
    }

    private static Command ParseMail(ReadOnlySpan<byte> text)
    {
        if (!TryPath(ref text, "FROM:"u8))
        {
            return new Command.Malformed(Verb.Mail, Replies.BadParameters("The form is MAIL FROM:<address>"));
        }

        if (!PathParser.TryParseReverse(text, out var path, out var consumed, out var error))
        {
            return new Command.Malformed(Verb.Mail, Replies.BadPath(error, sender: true));
        }

        var parameters = new MailParameters();
        var refusal = EnvelopeParameters.Read(text[consumed..], parameters.Take);
        if (refusal is null && path.Mailbox is { NeedsSmtpUtf8: true } mailbox && !parameters.SmtpUtf8)
        {
            refusal = Replies.NeedsSmtpUtf8(mailbox);
        }

        return refusal is not null
            ? new Command.Malformed(Verb.Mail, refusal)
            : new Command.Mail(path, parameters.DeclaredBytes, parameters.Body, parameters.SmtpUtf8, parameters.EnvelopeId, parameters.Return);
    }

    private static Command ParseRcpt(ReadOnlySpan<byte> text)
    {
        if (!TryPath(ref text, "TO:"u8))
        {
            return new Command.Malformed(Verb.Rcpt, Replies.BadParameters("The form is RCPT TO:<address>"));
        }

        if (!PathParser.TryParseForward(text, out var path, out var consumed, out var error))
        {
            return new Command.Malformed(Verb.Rcpt, Replies.BadPath(error, sender: false));
        }

        var parameters = new RcptParameters();
        var refusal = EnvelopeParameters.Read(text[consumed..], parameters.Take);
        return refusal is not null
            ? new Command.Malformed(Verb.Rcpt, refusal)
            : new Command.Rcpt(new EnvelopeRecipient(path, parameters.Notify, parameters.OriginalRecipient));
    }

    /// <summary>"FROM:" or "TO:", then the path; blanks between them are what some clients send.</summary>
    private static bool TryPath(ref ReadOnlySpan<byte> text, ReadOnlySpan<byte> keyword)
    {
        if (text.Length < keyword.Length || !Ascii.EqualsIgnoreCase(text[..keyword.Length], keyword))
        {
            return false;
        }

        text = text[keyword.Length..].TrimStart((byte)' ');
        return true;
    }

    /// <summary>BDAT SP chunk-size [SP "LAST"] (RFC 3030 §2). Without a readable size the stream cannot be followed any more.</summary>
    private static Command ParseBdat(ReadOnlySpan<byte> text)
    {
        var space = text.IndexOf((byte)' ');
        var digits = space < 0 ? text : text[..space];
        var end = space < 0 ? default : text[space..].Trim((byte)' ');
        const int DigitsMax = 18; // below 2^63
        if (digits.Length is 0 or > DigitsMax || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || !Utf8Parser.TryParse(digits, out long bytes, out _)
            || (!end.IsEmpty && !Ascii.EqualsIgnoreCase(end, "LAST"u8)))
        {
            return new Command.Malformed(Verb.Bdat, Replies.ChunkUnreadable, Fatal: true);
        }

        return new Command.Bdat(bytes, !end.IsEmpty);
    }

    private static Command ParseAuth(ReadOnlySpan<byte> text)
    {
        var space = text.IndexOf((byte)' ');
        var name = space < 0 ? text : text[..space];
        if (name.IsEmpty || name.Length > ReplyTextMax || !Ascii.IsValid(name))
        {
            return new Command.Malformed(Verb.Auth, Replies.BadParameters("The form is AUTH mechanism [initial-response]"));
        }

        return new Command.Auth(
            Encoding.ASCII.GetString(name).ToUpperInvariant(), space < 0 ? null : text[space..].Trim((byte)' ').ToArray());
    }
}
