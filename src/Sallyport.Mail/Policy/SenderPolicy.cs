using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Policy;

/// <summary>Who may send as whom: one rule, asked of the reverse-path and of every author in the header.</summary>
public static class SenderPolicy
{
    private const int NearestTried = 200;

    /// <summary>True when the address, or the address it is a subaddress of (jane+x@), is granted.</summary>
    public static bool MayUse(Grant grant, Mailbox mailbox)
    {
        if (!grant.Only.IsEmpty && !grant.Only.Any(pattern => pattern.Matches(mailbox)))
        {
            return false;
        }

        var canonical = mailbox.Canonical;
        var main = Subaddress.Without(mailbox.LocalPart.ToLowerInvariant()) + "@" + mailbox.AsciiDomain;
        foreach (var address in grant.Addresses)
        {
            if (address == canonical || address == main)
            {
                return true;
            }
        }

        return grant.Patterns.Any(pattern => pattern.Matches(mailbox));
    }

    /// <summary>
    /// MAIL FROM. The null path is anyone's: disposition notifications need it (RFC 8098 §3). A refusal when the grant's mode is to
    /// refuse, and also when it is to rewrite and the login has no address of its own to write.
    /// </summary>
    public static Reply? CheckReversePath(Grant grant, ReversePath path) =>
        path.Mailbox is null || MayUse(grant, path.Mailbox) || grant.Mode == SenderMode.Log
        || (grant.Mode == SenderMode.Rewrite && OwnAddress(grant) is not null)
            ? null
            : Refuse(553, "MAIL FROM", grant, path.Mailbox);

    /// <summary>The reverse-path to keep: the one asked for, or the login's own where the mode is to rewrite.</summary>
    public static ReversePath Effective(Grant grant, ReversePath path) =>
        path.Mailbox is null || grant.Mode != SenderMode.Rewrite || MayUse(grant, path.Mailbox) || OwnAddress(grant) is not { } own
            ? path
            : new ReversePath(own);

    /// <summary>The first author that is not granted; null when all are.</summary>
    public static Author? Stranger(Grant grant, ImmutableArray<Author> authors)
    {
        foreach (var author in authors)
        {
            if (!MayUse(grant, author.Mailbox))
            {
                return author;
            }
        }

        return null;
    }

    /// <summary>The login itself when it is an address it may use, else the first address granted to it.</summary>
    public static Mailbox? OwnAddress(Grant grant) =>
        MailboxParser.TryParse(grant.Login, out var login) && MayUse(grant, login!) ? login
        : Usable(grant).FirstOrDefault() is { } address && MailboxParser.TryParse(address, out var first) ? first : null;

    /// <summary>Every mailbox of From and Sender. Only the mode to refuse refuses.</summary>
    public static Reply? CheckAuthors(Grant grant, ImmutableArray<Author> authors) =>
        grant.Mode == SenderMode.Refuse && Stranger(grant, authors) is { } stranger
            ? Refuse(550, "the " + stranger.Field + " header", grant, stranger.Mailbox)
            : null;

    /// <summary>The granted address that looks most like the one refused; null when nothing is granted.</summary>
    public static string? Nearest(Grant grant, Mailbox mailbox)
    {
        var wanted = mailbox.Canonical;
        return Usable(grant).Take(NearestTried).MinBy(address => Distance(address, wanted));
    }

    /// <summary>The addresses of the grant that no limit takes out.</summary>
    private static IEnumerable<string> Usable(Grant grant) => grant.Only.IsEmpty
        ? grant.Addresses
        : grant.Addresses.Where(address => MailboxParser.TryParse(address, out var mailbox) && MayUse(grant, mailbox!));

    /// <summary>Levenshtein's distance, for finding what somebody meant. Quadratic in texts an address's limit keeps short.</summary>
    public static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }

    private static Reply Refuse(int code, string where, Grant grant, Mailbox mailbox)
    {
        var nearest = Nearest(grant, mailbox);
        var advice = nearest is not null ? "it may use " + Replies.Printable(nearest)
            : !grant.Only.IsEmpty ? "it may use " + Replies.Printable(grant.Only[0].ToString())
            : grant.Patterns.IsEmpty ? "no address is granted to it"
            : "it may use " + Replies.Printable(grant.Patterns[0].ToString());
        return new Reply(code, new(5, 7, 1), $"{Replies.Printable(mailbox.ToString())} in {where} is not an address of login "
            + $"{Replies.Printable(grant.Login)}; {advice}");
    }
}

/// <param name="Field">From, Sender, Resent-From or Resent-Sender.</param>
public readonly record struct Author(string Field, Mailbox Mailbox);
