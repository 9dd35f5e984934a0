using System.Text;
using System.Text.Unicode;

namespace Sallyport.Mail.Smtp;

/// <summary>xtext (RFC 3461 §4) and utf-8-addr-xtext (RFC 6533 §3) both ways.</summary>
public static class Xtext
{
    /// <summary>Decodes; null when malformed or when a control character was hidden inside (CVE-2020-28026).</summary>
    public static string? Decode(ReadOnlySpan<byte> text)
    {
        var octets = new byte[text.Length];
        var n = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var octet = text[i];
            if (octet == '+')
            {
                if (i + 2 >= text.Length || !IsHex(text[i + 1]) || !IsHex(text[i + 2]))
                {
                    return null;
                }

                octet = (byte)((Hex(text[i + 1]) << 4) | Hex(text[i + 2]));
                i += 2;
            }
            else if (octet is < 33 or 127 or (byte)'=')
            {
                return null;
            }

            if (octet is < 32 or 127)
            {
                return null;
            }

            octets[n++] = octet;
        }

        var result = octets.AsSpan(0, n);
        return Utf8.IsValid(result) ? DecodeUnicode(Encoding.UTF8.GetString(result)) : null;
    }

    /// <summary>Encodes as plain xtext; what is not ASCII becomes \x{HEX} as RFC 6533 §3 wants for a next hop without SMTPUTF8.</summary>
    public static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length + 8);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value > 126)
            {
                encoded.Append("\\x{").Append(rune.Value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture)).Append('}');
            }
            else if (rune.Value is < 33 or '+' or '=')
            {
                encoded.Append('+').Append(rune.Value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
            else
            {
                encoded.Append((char)rune.Value);
            }
        }

        return encoded.ToString();
    }

    private static string? DecodeUnicode(string text)
    {
        var at = text.IndexOf("\\x{", StringComparison.Ordinal);
        if (at < 0)
        {
            return text;
        }

        var decoded = new StringBuilder();
        var from = 0;
        while (at >= 0)
        {
            var end = text.IndexOf('}', at);
            if (end < 0 || !int.TryParse(text.AsSpan(at + 3, end - at - 3), System.Globalization.NumberStyles.AllowHexSpecifier,
                    System.Globalization.CultureInfo.InvariantCulture, out var value)
                || !Rune.IsValid(value) || Rune.IsControl(new Rune(value)))
            {
                return null;
            }

            decoded.Append(text, from, at - from).Append(new Rune(value).ToString());
            from = end + 1;
            at = text.IndexOf("\\x{", from, StringComparison.Ordinal);
        }

        return decoded.Append(text, from, text.Length - from).ToString();
    }

    // RFC 3461 wants upper-case hex; what else would lower case mean?
    private static bool IsHex(byte octet) => char.IsAsciiHexDigit((char)octet);

    private static int Hex(byte octet) => Convert.ToInt32(((char)octet).ToString(), 16);
}
