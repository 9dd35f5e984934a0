using System.Globalization;
using System.Text;

namespace Sallyport.Mail.Content;

/// <summary>
/// Encoded words (RFC 2047) as the most willing reader decodes them: of any length, inside other words and in quotes. For judging what
/// a name will look like, not for showing it: of charsets other than UTF-8 only what is ASCII is read.
/// </summary>
public static class EncodedWords
{
    private static readonly string[] Unreadable = ["utf-7", "utf7", "utf-16", "utf16", "utf-32", "utf32", "ucs-"];

    /// <summary>Null when a word is in a charset that hides ASCII; none of those is for mail (RFC 2045 §2.2, RFC 2781 §1).</summary>
    public static string? Decode(string text)
    {
        var decoded = new StringBuilder(text.Length);
        var pending = new List<byte>(); // a character may be cut between two words
        var charset = "";
        var wordEnd = 0;
        for (var i = 0; i < text.Length;)
        {
            if (FindWord(text, i, ref wordEnd) is not { } word)
            {
                Flush(decoded, pending, charset);
                decoded.Append(text[i++]);
                continue;
            }

            if (Unreadable.Any(name => word.Charset.Contains(name, StringComparison.Ordinal)))
            {
                return null;
            }

            if (word.Charset != charset)
            {
                Flush(decoded, pending, charset);
            }

            charset = word.Charset;
            pending.AddRange(word.Octets);
            i = word.End;
            var next = i;
            while (next < text.Length && text[next] is ' ' or '\t')
            {
                next++;
            }

            i = next < text.Length && FindWord(text, next, ref wordEnd) is not null ? next : i; // blanks between two words are not shown
        }

        Flush(decoded, pending, charset);
        return decoded.ToString();
    }

    /// <param name="wordEnd">The nearest "?=" found so far, so that none is looked for twice; -1 for none ahead.</param>
    private static Word? FindWord(string text, int start, ref int wordEnd)
    {
        if (wordEnd < 0 || !text.AsSpan(start).StartsWith("=?", StringComparison.Ordinal))
        {
            return null;
        }

        var encoding = text.IndexOf('?', start + 2);
        if (encoding < 0 || encoding + 2 >= text.Length || text[encoding + 2] != '?')
        {
            return null;
        }

        var from = encoding + 3;
        if (wordEnd < from)
        {
            wordEnd = text.IndexOf("?=", from, StringComparison.Ordinal);
        }

        if (wordEnd < 0)
        {
            return null;
        }

        var charset = text[(start + 2)..encoding].Split('*', 2)[0].ToLowerInvariant();
        return text[encoding + 1] switch
        {
            'q' or 'Q' => new Word(charset, FromQ(text.AsSpan(from, wordEnd - from)), wordEnd + 2),
            'b' or 'B' => new Word(charset, FromB(text.AsSpan(from, wordEnd - from)), wordEnd + 2),
            _ => null,
        };
    }

    private static byte[] FromQ(ReadOnlySpan<char> text)
    {
        var octets = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '=' && i + 2 < text.Length
                && byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                octets.Add(octet);
                i += 2;
            }
            else
            {
                octets.AddRange(Encoding.UTF8.GetBytes(text[i] == '_' ? " " : text[i].ToString()));
            }
        }

        return [.. octets];
    }

    private static byte[] FromB(ReadOnlySpan<char> text)
    {
        var digits = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            digits.Append(char.IsAsciiLetterOrDigit(c) || c is '+' or '/' ? c.ToString() : "");
        }

        digits.Length -= digits.Length % 4 == 1 ? 1 : 0;
        digits.Append('=', (4 - (digits.Length % 4)) % 4);
        return Convert.FromBase64String(digits.ToString());
    }

    private static void Flush(StringBuilder decoded, List<byte> pending, string charset)
    {
        if (pending.Count == 0)
        {
            return;
        }

        if (charset is "utf-8" or "utf8" or "us-ascii" or "ascii")
        {
            decoded.Append(Encoding.UTF8.GetString([.. pending]));
        }
        else
        {
            var shifts = charset.StartsWith("iso-2022-", StringComparison.Ordinal);
            foreach (var octet in pending)
            {
                decoded.Append(shifts && octet is 0x0E or 0x0F or 0x1B ? "" : octet < 0x80 ? ((char)octet).ToString() : "\uFFFD");
            }
        }

        pending.Clear();
    }

    private sealed record Word(string Charset, byte[] Octets, int End);
}
