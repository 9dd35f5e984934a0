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
    private const int CommentDepthMax = 20;

    private static readonly SearchValues<byte> Specials = SearchValues.Create("()<>[]:;@\\,.\" \t\r\n"u8);

    /// <summary>False when the value cannot be read without doubt; then nothing of <paramref name="mailboxes"/> counts.</summary>
    public static bool TryParse(ReadOnlySpan<byte> value, List<Mailbox> mailboxes) => TryParse(value, mailboxes, null, []);

    /// <param name="domain">What a mailbox without a domain gets (RFC 6409 §4.2); null where such a one cannot be read.</param>
    /// <param name="gaps">Where in <paramref name="value"/> "@" and that domain are missing.</param>
    public static bool TryParse(ReadOnlySpan<byte> value, List<Mailbox> mailboxes, string? domain, List<int> gaps)
    {
        var i = 0;
        var inGroup = false;
        while (true)
        {
            if (!SkipBlanks(value, ref i))
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

            if (!ReadAddress(value, ref i, new Found(mailboxes, domain, gaps), ref inGroup))
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
            return EndsAddress(value, ref i);
        }

        if (value[i] != '<' && ReadUnqualified(value, ref i, found, inAngles: false))
        {
            return true;
        }

        if (!SkipPhrase(value, ref i))
        {
            return false;
        }

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
        if (!SkipBlanks(value, ref i))
        {
            return false;
        }

        if (ReadUnqualified(value, ref i, found, inAngles: true))
        {
            return EndsAddress(value, ref i);
        }

        if (!MailboxParser.TryParse(value[i..], out var angle, out var angleLength, out _))
        {
            return false;
        }

        i += angleLength;
        if (!SkipBlanks(value, ref i) || i >= value.Length || value[i] != '>')
        {
            return false;
        }

        i++;
        found.Mailboxes.Add(angle!);
        return EndsAddress(value, ref i);
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
        if (length <= 0 || !SkipBlanks(value, ref after)
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

    private static bool EndsAddress(ReadOnlySpan<byte> value, ref int i) =>
        SkipBlanks(value, ref i) && (i >= value.Length || value[i] is (byte)',' or (byte)';');

    /// <summary>Words, quoted strings and dots (obs-phrase, which real clients write) up to "&lt;" or ":".</summary>
    private static bool SkipPhrase(ReadOnlySpan<byte> value, ref int i)
    {
        while (SkipBlanks(value, ref i) && i < value.Length)
        {
            if (value[i] is (byte)'<' or (byte)':')
            {
                return true;
            }

            if (value[i] == '"')
            {
                if (!SkipQuoted(value, ref i))
                {
                    return false;
                }
            }
            else if (value[i] == '.')
            {
                i++;
            }
            else
            {
                var run = value[i..].IndexOfAny(Specials);
                if (run == 0)
                {
                    return false;
                }

                i = run < 0 ? value.Length : i + run;
            }
        }

        return false;
    }

    private static bool SkipQuoted(ReadOnlySpan<byte> value, ref int i)
    {
        for (i++; i < value.Length; i++)
        {
            if (value[i] == '\\')
            {
                i++;
            }
            else if (value[i] == '"')
            {
                i++;
                return true;
            }
        }

        return false;
    }

    /// <summary>CFWS: blanks, folding, comments.</summary>
    private static bool SkipBlanks(ReadOnlySpan<byte> value, ref int i)
    {
        var depth = 0;
        for (; i < value.Length; i++)
        {
            switch (value[i])
            {
                case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                    break;
                case (byte)'(':
                    if (++depth > CommentDepthMax)
                    {
                        return false;
                    }

                    break;
                case (byte)')' when depth > 0:
                    depth--;
                    break;
                case (byte)'\\' when depth > 0:
                    i++;
                    break;
                default:
                    if (depth == 0)
                    {
                        return true;
                    }

                    break;
            }
        }

        return depth == 0;
    }

    private readonly record struct Found(List<Mailbox> Mailboxes, string? Domain, List<int> Gaps);
}
