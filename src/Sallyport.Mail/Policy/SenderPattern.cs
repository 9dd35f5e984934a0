using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Policy;

/// <summary>
/// Addresses a grant speaks of: one address, "*@acme.test" or "@acme.test" for a domain, "*@*.acme.test" for all domains below
/// one, "sales-*@acme.test", or "*" for any address at all. A star stands for any characters, also none, and never for "@".
/// </summary>
public sealed record SenderPattern
{
    private const string Star = "*";

    private SenderPattern(string localPart, string domain)
    {
        LocalPart = localPart;
        Domain = domain;
    }

    /// <summary>Lower case.</summary>
    public string LocalPart { get; }

    /// <summary>Lower case with A-labels; "*." before it for all below it; "*" for any.</summary>
    public string Domain { get; }

    /// <summary>True for an address without a star.</summary>
    public bool IsAddress => !LocalPart.Contains('*', StringComparison.Ordinal) && !Domain.StartsWith('*');

    /// <summary>Null when the text is neither an address nor a pattern.</summary>
    public static SenderPattern? Parse(string text)
    {
        if (text == Star)
        {
            return new SenderPattern(Star, Star);
        }

        if (MailboxParser.TryParse(text, out var mailbox) && !text.Contains('*', StringComparison.Ordinal))
        {
            return new SenderPattern(mailbox!.LocalPart.ToLowerInvariant(), mailbox.AsciiDomain);
        }

        var at = text.LastIndexOf('@');
        if (at < 0)
        {
            return null;
        }

        var local = at == 0 ? Star : text[..at].ToLowerInvariant();
        var below = text.AsSpan(at + 1).StartsWith("*.", StringComparison.Ordinal) ? "*." : "";
        return MailboxParser.TryParse(local + "@" + text[(at + 1 + below.Length)..], out var whole) && whole!.LocalPart[0] != '"'
            ? new SenderPattern(local, below + whole.AsciiDomain)
            : null;
    }

    /// <summary>In time linear in the address for each star.</summary>
    public bool Matches(Mailbox mailbox) => MatchesDomain(mailbox.AsciiDomain) && MatchesLocalPart(mailbox.LocalPart.ToLowerInvariant());

    public override string ToString() => LocalPart == Star && Domain == Star ? Star : LocalPart + "@" + Domain;

    private bool MatchesDomain(string domain) => Domain == Star
        || (Domain.StartsWith('*') ? domain.EndsWith(Domain[1..], StringComparison.Ordinal) : domain == Domain);

    private bool MatchesLocalPart(string text)
    {
        if (LocalPart == Star)
        {
            return true;
        }

        var pieces = LocalPart.Split('*');
        if (pieces.Length == 1)
        {
            return text == LocalPart || Subaddress.Without(text) == LocalPart;
        }

        var from = pieces[0].Length;
        if (!text.StartsWith(pieces[0], StringComparison.Ordinal) || text.Length < from + pieces[^1].Length
            || !text.EndsWith(pieces[^1], StringComparison.Ordinal))
        {
            return false;
        }

        var end = text.Length - pieces[^1].Length;
        foreach (var piece in pieces[1..^1])
        {
            var found = text.AsSpan(from, end - from).IndexOf(piece, StringComparison.Ordinal);
            if (found < 0)
            {
                return false;
            }

            from += found + piece.Length;
        }

        return true;
    }
}
