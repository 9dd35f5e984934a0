using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Sasl;

/// <summary>
/// Preparation of logins and passwords, the same when one is set and when it is used: valid UTF-8, no control character, every
/// blank a plain blank (RFC 8265 §4.2 without its normalisation, which needs tables a small binary does not carry).
/// </summary>
public static class Credentials
{
    /// <summary>Null when the octets can be no login or password.</summary>
    public static string? Prepare(ReadOnlySpan<byte> octets) => Utf8.IsValid(octets) ? Prepare(Encoding.UTF8.GetString(octets)) : null;

    public static string? Prepare(string text)
    {
        var prepared = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (category is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate || rune == Rune.ReplacementChar)
            {
                return null;
            }

            prepared.Append(category == UnicodeCategory.SpaceSeparator ? " " : rune.ToString());
        }

        return prepared.ToString();
    }

    /// <summary>
    /// A login as it is looked up: prepared, without blanks around it, in lower case. Null when it can be none, as with a letter that only
    /// the comparison makes ASCII: the login would be another's.
    /// </summary>
    public static string? PrepareLogin(string text) =>
        Prepare(text)?.Trim() is { Length: > 0 } login && !LookAlikes.In(login) ? login.ToLowerInvariant() : null;
}
