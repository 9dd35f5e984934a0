using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;

namespace Sallyport.Mail.Content;

/// <summary>The names beside an author's address: many readers see nothing else, so they must not pass for another address of the site.</summary>
internal static class AuthorNames
{
    /// <summary>What may stand around an address without making it anything else.</summary>
    private static readonly char[] Around = [.. " \t\"'<>()[].,;:"];

    /// <summary>A refusal for the first name or comment that could deceive; null for names as people have them.</summary>
    public static Reply? Check(string field, List<string> names, List<string> comments, Grant grant)
    {
        if (comments.Exists(comment => comment.AsSpan().ContainsAny('<', '>', '@')))
        {
            return Bad($"A comment in the {field} header holds <, > or @, so that some readers see another address in it");
        }

        foreach (var name in names.Concat(comments))
        {
            if (EncodedWords.Decode(name) is not { } shown)
            {
                return Bad($"A name in the {field} header is in a charset mail does not use: send it in UTF-8");
            }

            foreach (var rune in shown.EnumerateRunes())
            {
                if (DisplayText.OverridesDirection(rune) || (Rune.IsControl(rune) && rune.Value != '\t'))
                {
                    return Bad($"A name in the {field} header has a character that hides what it says (U+{rune.Value:X4})");
                }
            }

            if (grant.Mode == SenderMode.Refuse && FirstUngranted(shown, grant) is { } ungranted)
            {
                return new Reply(550, new(5, 7, 1), $"The name in the {field} header is the address {DisplayText.Sanitize(ungranted.ToString())}, "
                    + $"which is not an address of login {DisplayText.Sanitize(grant.Login)}; a name of its owner is right there");
            }
        }

        return null;
    }

    /// <summary>
    /// An address that is the whole name, or stands in angles in it, in a domain of the login's own addresses and not granted to it. Addresses
    /// elsewhere are not judged: forms and lists name the person they write for that way.
    /// </summary>
    private static Mailbox? FirstUngranted(string name, Grant grant)
    {
        if (!name.AsSpan().ContainsAny('@', '\uFF20', '\uFE6B'))
        {
            return null;
        }

        var plain = name.Replace('\uFF20', '@').Replace('\uFE6B', '@');
        return plain.Split('<', '>').Append(plain)
            .Select(part => MailboxParser.TryParse(part.Trim(Around), out var mailbox) ? mailbox : null)
            .FirstOrDefault(mailbox => mailbox is not null && !SenderPolicy.MayUse(grant, mailbox)
                && grant.Addresses.Any(address => address.EndsWith("@" + mailbox.AsciiDomain, StringComparison.Ordinal)));
    }

    private static Reply Bad(string problem) => new(550, new(5, 6, 0), problem);
}
