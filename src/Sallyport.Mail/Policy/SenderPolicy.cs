using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Text;

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
    /// MAIL FROM. The null path is anyone's: disposition notifications need it (RFC 8098 §3). Refused when the grant's mode is to
    /// refuse, and also when it is to rewrite and the login has no address of its own to write.
    /// </summary>
    public static SenderDecision Decide(Grant grant, ReversePath path)
    {
        if (path.Mailbox is not { } mailbox || MayUse(grant, mailbox))
        {
            return new SenderDecision(path, null, null);
        }

        return grant.Mode switch
        {
            SenderMode.Log => new(path, mailbox, null),
            SenderMode.Rewrite when OwnAddress(grant) is { } own => new(new ReversePath(own), mailbox, null),
            _ => new(path, mailbox, Refuse(null, grant, mailbox)),
        };
    }

    /// <summary>The first author that is not granted; null when all are.</summary>
    public static Author? FirstUngrantedAuthor(Grant grant, ImmutableArray<Author> authors)
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
    public static SenderRefusal? CheckAuthors(Grant grant, ImmutableArray<Author> authors) =>
        grant.Mode == SenderMode.Refuse && FirstUngrantedAuthor(grant, authors) is { } author
            ? Refuse(author.Field, grant, author.Mailbox)
            : null;

    /// <summary>The granted address that looks most like the one refused; null when nothing is granted.</summary>
    public static string? Nearest(Grant grant, Mailbox mailbox)
    {
        var wanted = mailbox.Canonical;
        return Usable(grant).Take(NearestTried).MinBy(address => EditDistance.Between(address, wanted));
    }

    /// <summary>The addresses of the grant that no limit takes out.</summary>
    private static IEnumerable<string> Usable(Grant grant) => grant.Only.IsEmpty
        ? grant.Addresses
        : grant.Addresses.Where(address => MailboxParser.TryParse(address, out var mailbox) && MayUse(grant, mailbox!));

    private static SenderRefusal Refuse(string? field, Grant grant, Mailbox mailbox) => new(field, grant.Login, mailbox,
        Nearest(grant, mailbox) ?? (!grant.Only.IsEmpty ? grant.Only[0].ToString()
            : !grant.Patterns.IsEmpty ? grant.Patterns[0].ToString() : null));
}

/// <summary>What becomes of a reverse-path.</summary>
/// <param name="Path">The one to keep: as asked for, or the login's own where the mode is to rewrite.</param>
/// <param name="Ungranted">The address asked for, when it is not granted; null when it is.</param>
/// <param name="Refusal">Why nothing is sent; null when it may be.</param>
public readonly record struct SenderDecision(ReversePath Path, Mailbox? Ungranted, SenderRefusal? Refusal);

/// <summary>A login may not use an address.</summary>
/// <param name="Field">The header field it is in; null for MAIL FROM.</param>
/// <param name="Usable">The nearest address or pattern it may use; null when nothing is granted to it.</param>
public sealed record SenderRefusal(string? Field, string Login, Mailbox Mailbox, string? Usable);

/// <param name="Field">From, Sender, Resent-From or Resent-Sender.</param>
public readonly record struct Author(string Field, Mailbox Mailbox);
