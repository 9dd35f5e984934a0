namespace Sallyport.Mail.Addressing;

/// <summary>Reads the paths of MAIL and RCPT (RFC 5321 §4.1.2). A source route is read and dropped (appendix C).</summary>
public static class PathParser
{
    public static bool TryParseReverse(ReadOnlySpan<byte> text, out ReversePath path, out int consumed, out PathError error)
    {
        path = ReversePath.Null;
        error = PathError.None;
        consumed = 2;
        if (text.StartsWith("<>"u8))
        {
            return true;
        }

        if (!TryParse(text, out var mailbox, out consumed, out error))
        {
            return false;
        }

        path = new ReversePath(mailbox);
        return true;
    }

    public static bool TryParseForward(ReadOnlySpan<byte> text, out ForwardPath path, out int consumed, out PathError error)
    {
        path = default;
        if (!TryParse(text, out var mailbox, out consumed, out error))
        {
            return false;
        }

        path = new ForwardPath(mailbox!);
        return true;
    }

    private static bool TryParse(ReadOnlySpan<byte> text, out Mailbox? mailbox, out int consumed, out PathError error)
    {
        mailbox = null;
        consumed = 0;
        error = PathError.Syntax;
        if (text.IsEmpty || text[0] != '<')
        {
            return false;
        }

        var start = 1 + LengthOfRoute(text[1..]);
        if (!MailboxParser.TryParse(text[start..], out mailbox, out var length, out error))
        {
            return false;
        }

        consumed = start + length;
        if (consumed >= text.Length || text[consumed] != '>')
        {
            error = PathError.Syntax;
            return false;
        }

        consumed++;
        return true;
    }

    /// <summary>A-d-l ":" is "@" Domain *( "," "@" Domain ) ":"; 0 when there is none or it is malformed.</summary>
    private static int LengthOfRoute(ReadOnlySpan<byte> text)
    {
        var i = 0;
        while (i < text.Length && text[i] == '@')
        {
            var domain = MailboxParser.EndOfDomain(text[(i + 1)..], out _);
            i += 1 + domain;
            if (domain == 0 || i >= text.Length)
            {
                return 0;
            }

            if (text[i] == ':')
            {
                return i + 1;
            }

            if (text[i++] != ',')
            {
                return 0;
            }
        }

        return 0;
    }
}
