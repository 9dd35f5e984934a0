using System.Buffers;
using System.Text;
using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Content;

/// <summary>
/// Finds every mailbox in the value of From, Sender, To or their like (RFC 5322 §3.4): display names, groups, comments. Iterative and linear.
/// Strict where two readers might see two authors: no source route, nothing but a plain addr-spec between the angles.
/// </summary>
public static class AddressListParser
{
    private static readonly SearchValues<byte> Specials = SearchValues.Create("()<>[]:;@\\,.\" \t\r\n"u8);

    /// <summary>False when the value cannot be read without doubt; then nothing of <paramref name="mailboxes"/> counts.</summary>
    public static bool TryParse(ReadOnlySpan<byte> value, List<Mailbox> mailboxes) => TryParse(value, mailboxes, null, [], [], []);

    /// <param name="domain">What a mailbox without a domain gets (RFC 6409 §4.2); null where such a one cannot be read.</param>
    /// <param name="gaps">Where in <paramref name="value"/> "@" and that domain are missing.</param>
    /// <param name="names">Gets the names of mailboxes and groups, unquoted and not yet decoded (RFC 2047).</param>
    /// <param name="comments">Gets the text of each comment, as it is.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> value, List<Mailbox> mailboxes, string? domain, List<int> gaps, List<string> names, List<string> comments)
    {
        var found = new Found(mailboxes, domain, gaps, names, comments);
        var i = 0;
        var inGroup = false;
        while (true)
        {
            if (!Cfws.TrySkip(value, ref i, found.Comments))
            {
                return false;
            }

            if (i >= value.Length)
            {
                return !inGroup;
            }

            if (value[i] == ',')
            {
                i++;
                continue;
            }

            if (value[i] == ';')
            {
                if (!inGroup)
                {
                    return false;
                }

                inGroup = false;
                i++;
                continue;
            }

            if (!ReadAddress(value, ref i, found, ref inGroup))
            {
                return false;
            }
        }
    }

    /// <summary>addr-spec | phrase "&lt;" addr-spec "&gt;" | phrase ":" (a group begins).</summary>
    private static bool ReadAddress(ReadOnlySpan<byte> value, ref int i, Found found, ref bool inGroup)
    {
        if (value[i] != '<' && MailboxParser.TryParse(value[i..], out var plain, out var length, out _))
        {
            i += length;
            found.Mailboxes.Add(plain!);
            return EndsAddress(value, ref i, found);
        }

        if (value[i] != '<' && ReadUnqualified(value, ref i, found, inAngles: false))
        {
            return true;
        }

        if (TakePhrase(value, ref i, found) is not { } phrase)
        {
            return false;
        }

        found.Names.Add(phrase);
        if (i < value.Length && value[i] == ':' && !inGroup)
        {
            inGroup = true;
            i++;
            return true;
        }

        if (i >= value.Length || value[i] != '<')
        {
            return false;
        }

        i++;
        if (!Cfws.TrySkip(value, ref i, found.Comments))
        {
            return false;
        }

        if (ReadUnqualified(value, ref i, found, inAngles: true))
        {
            return EndsAddress(value, ref i, found);
        }

        if (!MailboxParser.TryParse(value[i..], out var angle, out var angleLength, out _))
        {
            return false;
        }

        i += angleLength;
        if (!Cfws.TrySkip(value, ref i, found.Comments) || i >= value.Length || value[i] != '>')
        {
            return false;
        }

        i++;
        found.Mailboxes.Add(angle!);
        return EndsAddress(value, ref i, found);
    }

    /// <summary>
    /// A local part alone, without quotes and no encoded word: "jane", or within angles. False, with nothing read, when it
    /// is something else, be it the first word of a display name.
    /// </summary>
    private static bool ReadUnqualified(ReadOnlySpan<byte> value, ref int i, Found found, bool inAngles)
    {
        if (found.Domain is null || i >= value.Length || value[i] == '"' || value[i..].StartsWith("=?"u8))
        {
            return false;
        }

        var length = MailboxParser.EndOfLocalPart(value[i..], out _);
        var end = i + length;
        var after = end;
        if (length <= 0 || !Cfws.TrySkip(value, ref after, found.Comments)
            || (inAngles ? after >= value.Length || value[after] != '>' : after < value.Length && value[after] is not ((byte)',' or (byte)';'))
            || !MailboxParser.TryParse(Encoding.UTF8.GetString(value[i..end]) + "@" + found.Domain, out var mailbox))
        {
            return false;
        }

        found.Mailboxes.Add(mailbox!);
        found.Gaps.Add(end);
        i = inAngles ? after + 1 : after;
        return true;
    }

    private static bool EndsAddress(ReadOnlySpan<byte> value, ref int i, Found found) =>
        Cfws.TrySkip(value, ref i, found.Comments) && (i >= value.Length || value[i] is (byte)',' or (byte)';');

    /// <summary>Words, quoted strings and dots (obs-phrase, which real clients write) up to "&lt;" or ":"; null when there is no such end.</summary>
    private static string? TakePhrase(ReadOnlySpan<byte> value, ref int i, Found found)
    {
        var phrase = new List<byte>();
        for (var before = i; Cfws.TrySkip(value, ref i, found.Comments) && i < value.Length; before = i)
        {
            if (value[i] is (byte)'<' or (byte)':')
            {
                return Encoding.UTF8.GetString([.. phrase]);
            }

            if (i > before && phrase.Count > 0)
            {
                phrase.Add((byte)' ');
            }

            if (value[i] == '"')
            {
                if (Cfws.TakeQuoted(value, ref i) is not { } quoted)
                {
                    return null;
                }

                phrase.AddRange(quoted);
            }
            else if (value[i] == '.')
            {
                phrase.Add(value[i++]);
            }
            else
            {
                var run = value[i..].IndexOfAny(Specials);
                if (run == 0)
                {
                    return null;
                }

                var end = run < 0 ? value.Length : i + run;
                phrase.AddRange(value[i..end]);
                i = end;
            }
        }

        return null;
    }

    private readonly record struct Found(List<Mailbox> Mailboxes, string? Domain, List<int> Gaps, List<string> Names, List<string> Comments);
}
