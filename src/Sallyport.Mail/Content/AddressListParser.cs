using System.Buffers;
using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Content;

/// <summary>
/// Finds every mailbox in the value of From or Sender (RFC 5322 §3.4): display names, groups, comments. Iterative and linear.
/// Strict where two readers might see two authors: no source route, nothing but a plain addr-spec between the angles.
/// </summary>
public static class AddressListParser
{
    private const int CommentDepthMax = 20;

    private static readonly SearchValues<byte> Specials = SearchValues.Create("()<>[]:;@\\,.\" \t\r\n"u8);

    /// <summary>False when the value cannot be read without doubt.</summary>
    public static bool TryParse(ReadOnlySpan<byte> value, List<Mailbox> mailboxes)
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

            if (!ReadAddress(value, ref i, mailboxes, ref inGroup))
            {
                return false;
            }
        }
    }

    /// <summary>addr-spec | phrase "&lt;" addr-spec "&gt;" | phrase ":" (a group begins).</summary>
    private static bool ReadAddress(ReadOnlySpan<byte> value, ref int i, List<Mailbox> mailboxes, ref bool inGroup)
    {
        if (value[i] != '<' && MailboxParser.TryParse(value[i..], out var plain, out var length, out _))
        {
            i += length;
            mailboxes.Add(plain!);
            return EndsAddress(value, ref i);
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
        if (!SkipBlanks(value, ref i) || !MailboxParser.TryParse(value[i..], out var angle, out var angleLength, out _))
        {
            return false;
        }

        i += angleLength;
        if (!SkipBlanks(value, ref i) || i >= value.Length || value[i] != '>')
        {
            return false;
        }

        i++;
        mailboxes.Add(angle!);
        return EndsAddress(value, ref i);
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
}
