using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>One part of a name, "CN=Jane Doe"; the key is empty in an abbreviated name.</summary>
public readonly record struct NamePart(string Key, string Value)
{
    /// <summary>Without regard to case, and to how many blanks there are (RFC 4518 §2.6.1).</summary>
    public bool HasValueOf(NamePart other) => string.Equals(Squeeze(Value), Squeeze(other.Value), StringComparison.OrdinalIgnoreCase);

    public bool Is(NamePart other) => string.Equals(Key, other.Key, StringComparison.OrdinalIgnoreCase) && HasValueOf(other);

    private static string Squeeze(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>A name of an entry as its parts (RFC 4514), and as Domino writes it.</summary>
public static class DistinguishedName
{
    private const int LengthMax = 4096;

    /// <summary>Null when it is not a distinguished name. The empty name has no parts.</summary>
    public static ImmutableArray<NamePart>? Parse(string text)
    {
        if (text.Length > LengthMax)
        {
            return null;
        }

        var parts = ImmutableArray.CreateBuilder<NamePart>();
        for (var i = 0; i < text.Length;)
        {
            if (ReadPart(text, ref i) is not { } part)
            {
                return null;
            }

            parts.Add(part);
            if (i < text.Length && text[i] is ',' or ';' or '+')
            {
                i++;
                if (i == text.Length)
                {
                    return null;
                }
            }
        }

        return parts.ToImmutable();
    }

    /// <summary>"CN=Jane Doe/OU=Sales/O=Acme", as Domino shows it; what is no name comes back as it is.</summary>
    public static string ToDomino(string dn) => Parse(dn) is { Length: > 0 } parts
        ? string.Join('/', parts.Select(part => $"{part.Key.ToUpperInvariant()}={part.Value}"))
        : dn;

    /// <summary>Are these "KEY=value" with a key that can be one? Null when not.</summary>
    public static NamePart? ParsePart(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var key = equals > 0 ? text[..equals].Trim() : "";
        return key.Length > 0 && key.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.')
            ? new NamePart(key, text[(equals + 1)..].Trim())
            : null;
    }

    private static NamePart? ReadPart(string text, ref int i)
    {
        var equals = text.IndexOf('=', i);
        if (equals < 0 || ParsePart(text[i..(equals + 1)]) is not { Key: var key })
        {
            return null;
        }

        i = equals + 1;
        while (i < text.Length && text[i] == ' ')
        {
            i++;
        }

        return ReadValue(text, ref i) is { } value ? new NamePart(key, value) : null;
    }

    private static string? ReadValue(string text, ref int i)
    {
        var octets = new List<byte>();
        var kept = 0;
        while (i < text.Length && text[i] is not (',' or ';' or '+'))
        {
            if (text[i] != '\\')
            {
                var length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                octets.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, length)));
                kept = text[i] == ' ' ? kept : octets.Count;
                i += length;
                continue;
            }

            if (i + 1 >= text.Length)
            {
                return null;
            }

            if (i + 2 < text.Length
                && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                octets.Add(octet);
                i += 3;
            }
            else
            {
                octets.AddRange(Encoding.UTF8.GetBytes(text.Substring(i + 1, 1)));
                i += 2;
            }

            kept = octets.Count;
        }

        return Encoding.UTF8.GetString([.. octets.Take(kept)]);
    }
}
