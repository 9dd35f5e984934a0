namespace Sallyport.Server.Identity.Directories.Imap;

internal enum ImapReplyKind
{
    /// <summary>"+": the server waits for the rest of the command.</summary>
    Continue,

    /// <summary>"*" with a status: OK, NO, BAD, BYE, PREAUTH.</summary>
    Status,

    /// <summary>"*" with anything else.</summary>
    Data,

    /// <summary>The end of the command.</summary>
    Tagged,

    Malformed,
}

/// <summary>A line of a server (RFC 9051 §7, RFC 3501 §7), as far as a login needs it.</summary>
/// <param name="Tag">Of a tagged reply.</param>
/// <param name="Word">OK, NO, BAD, BYE, PREAUTH, or the first word of data, in upper case.</param>
/// <param name="Code">The response code in upper case, as in "AUTHENTICATIONFAILED" or "CAPABILITY IMAP4REV1 AUTH=PLAIN"; empty without one.</param>
/// <param name="Text">All behind <paramref name="Word"/>, as it came.</param>
internal sealed record ImapReply(ImapReplyKind Kind, string Tag, string Word, string Code, string Text)
{
    private static readonly string[] Statuses = ["OK", "NO", "BAD", "BYE", "PREAUTH"];

    public static ImapReply Read(string line)
    {
        if (line.StartsWith('+'))
        {
            return new(ImapReplyKind.Continue, "", "", "", line[1..].Trim());
        }

        var words = line.Split(' ', 3);
        var word = words.Length > 1 ? words[1].ToUpperInvariant() : "";
        var text = words.Length > 2 ? words[2] : "";
        var status = Statuses.Contains(word);
        var kind = words[0] == "*" && word.Length > 0 ? status ? ImapReplyKind.Status : ImapReplyKind.Data
            : status && words[0].Length > 0 && word is "OK" or "NO" or "BAD" ? ImapReplyKind.Tagged
            : ImapReplyKind.Malformed;
        return new(kind, words[0], word, status ? CodeOf(text) : "", text);
    }

    /// <summary>The capabilities the reply tells, in upper case; null when it tells none.</summary>
    public string[]? Capabilities()
    {
        const string Name = "CAPABILITY ";
        var list = Kind == ImapReplyKind.Data && Word == "CAPABILITY" ? Text.ToUpperInvariant()
            : Code.StartsWith(Name, StringComparison.Ordinal) ? Code[Name.Length..] : null;
        return list?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Octets of the literal that follows this line of data; null when none does.</summary>
    public static int? LiteralOctets(string line)
    {
        var open = line.EndsWith('}') ? line.LastIndexOf('{') : -1;
        return open >= 0 && int.TryParse(line[(open + 1)..^1].TrimEnd('+'), System.Globalization.NumberStyles.None, null, out var octets)
            ? octets
            : null;
    }

    private static string CodeOf(string text)
    {
        var end = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) : -1;
        return end < 0 ? "" : text[1..end].ToUpperInvariant();
    }
}
