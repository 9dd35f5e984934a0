using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Unicode;

namespace Sallyport.Mail.Addressing;

/// <summary>
/// Reads Local-part@Domain (RFC 5321 §4.1.2 with RFC 6531 §3.3) from the front of some octets, iteratively and in one pass.
/// No percent sign, bang or quote is given a meaning: the local part belongs to the next hop.
/// </summary>
public static class MailboxParser
{
    public const int LocalPartBytesMax = 64;
    public const int DomainBytesMax = 255;
    public const int LabelBytesMax = 63;

    private static readonly SearchValues<byte> AtextAscii =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~"u8);

    private static readonly SearchValues<byte> LabelAscii =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"u8);

    /// <summary>A whole text that must be one mailbox: for configuration, commands and grants.</summary>
    public static bool TryParse(string? text, out Mailbox? mailbox)
    {
        mailbox = null;
        if (text is null || text.Length > LocalPartBytesMax + DomainBytesMax + 1)
        {
            return false;
        }

        var octets = Encoding.UTF8.GetBytes(text);
        return TryParse(octets, out mailbox, out var consumed, out _) && consumed == octets.Length;
    }

    /// <summary>A mailbox at the front; <paramref name="consumed"/> octets of it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out Mailbox? mailbox, out int consumed, out PathError error)
    {
        mailbox = null;
        consumed = 0;
        var localEnd = EndOfLocalPart(text, out error);
        if (localEnd <= 0)
        {
            return false;
        }

        if (localEnd >= text.Length || text[localEnd] != '@')
        {
            error = PathError.NoDomain;
            return false;
        }

        if (localEnd > LocalPartBytesMax)
        {
            error = PathError.TooLong;
            return false;
        }

        var domain = text[(localEnd + 1)..];
        var domainLength = EndOfDomain(domain, out error);
        if (domainLength <= 0)
        {
            return false;
        }

        consumed = localEnd + 1 + domainLength;
        if (!Utf8.IsValid(text[..consumed]))
        {
            error = PathError.ForbiddenOctet;
            return false;
        }

        var candidate = Mailbox.Checked(Encoding.UTF8.GetString(text[..localEnd]), Encoding.UTF8.GetString(domain[..domainLength]));
        error = Judge(candidate);
        mailbox = error == PathError.None ? candidate : null;
        return mailbox is not null;
    }

    private static PathError Judge(Mailbox candidate) =>
        HasControl(candidate.LocalPart) || HasControl(candidate.Domain) ? PathError.Syntax
        : candidate.LocalPart.Contains("=?", StringComparison.Ordinal) ? PathError.EncodedWord
        : LookAlikes.In(candidate.LocalPart) || LookAlikes.InDomain(candidate.Domain) ? PathError.LookAlike
        : candidate.HasUsableDomain ? PathError.None
        : PathError.Syntax;

    /// <summary>The length of Domain or address-literal at the front; 0 with an error when there is none.</summary>
    internal static int EndOfDomain(ReadOnlySpan<byte> text, out PathError error)
    {
        error = PathError.Syntax;
        if (text.IsEmpty)
        {
            return 0;
        }

        if (text[0] == '[')
        {
            return EndOfLiteral(text);
        }

        var i = 0;
        while (true)
        {
            var label = LengthOf(text[i..], LabelAscii);
            if (label == 0 || text[i] == '-' || text[i + label - 1] == '-')
            {
                return 0;
            }

            i += label;
            if (label > LabelBytesMax || i > DomainBytesMax)
            {
                error = PathError.TooLong;
                return 0;
            }

            if (i >= text.Length || text[i] != '.')
            {
                error = PathError.None;
                return i;
            }

            i++;
        }
    }

    private static int EndOfLiteral(ReadOnlySpan<byte> text)
    {
        var end = text[..Math.Min(text.Length, 64)].IndexOf((byte)']');
        if (end < 2 || !Ascii.IsValid(text[..end]))
        {
            return 0;
        }

        var inside = Encoding.ASCII.GetString(text[1..end]);
        var v6 = inside.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase);
        var valid = IPAddress.TryParse(v6 ? inside[5..] : inside, out var address)
            && address.GetAddressBytes().Length == (v6 ? 16 : 4)
            && (v6 || inside.AsSpan().Count('.') == 3)
            && !inside.Contains('%', StringComparison.Ordinal)
            && !inside.Contains('[', StringComparison.Ordinal);
        return valid ? end + 1 : 0;
    }

    /// <summary>The length of the local part at the front; 0 with an error when there is none.</summary>
    internal static int EndOfLocalPart(ReadOnlySpan<byte> text, out PathError error)
    {
        error = PathError.Syntax;
        if (text.IsEmpty)
        {
            return 0;
        }

        if (text[0] == '"')
        {
            return EndOfQuoted(text, ref error);
        }

        var i = 0;
        while (true)
        {
            var atom = LengthOf(text[i..], AtextAscii);
            if (atom == 0)
            {
                error = i < text.Length && IsControl(text[i]) ? PathError.ForbiddenOctet : PathError.Syntax;
                return 0;
            }

            i += atom;
            if (i >= text.Length || text[i] != '.')
            {
                error = PathError.None;
                return i;
            }

            i++;
        }
    }

    private static int EndOfQuoted(ReadOnlySpan<byte> text, ref PathError error)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (IsControl(text[i]))
            {
                error = PathError.ForbiddenOctet;
                return 0;
            }

            if (text[i] == '"')
            {
                error = PathError.None;
                return i + 1;
            }

            if (text[i] == '\\' && ++i < text.Length && (IsControl(text[i]) || text[i] > 126))
            {
                error = PathError.ForbiddenOctet;
                return 0;
            }
        }

        return 0;
    }

    private static int LengthOf(ReadOnlySpan<byte> text, SearchValues<byte> ascii)
    {
        var i = 0;
        while (i < text.Length)
        {
            var run = text[i..].IndexOfAnyExcept(ascii);
            if (run < 0)
            {
                return text.Length;
            }

            i += run;
            if (text[i] < 0x80)
            {
                return i;
            }

            i++;
        }

        return i;
    }

    private static bool IsControl(byte octet) => octet is < 0x20 or 0x7F;

    /// <summary>C1 controls and the separators that some programs take for a newline.</summary>
    private static bool HasControl(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c) || c is '\u2028' or '\u2029')
            {
                return true;
            }
        }

        return false;
    }
}
