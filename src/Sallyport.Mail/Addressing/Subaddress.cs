using System.Text;

namespace Sallyport.Mail.Addressing;

/// <summary>
/// The address behind a subaddress (RFC 5233): jane of jane+lists. What follows the plus is only a tag when it is made of letters, digits
/// and ".-_=+": a percent sign or a bang could be a route to somebody else, in the eyes of some next hop.
/// </summary>
internal static class Subaddress
{
    /// <summary>The local part without its tag; as it is when it has none. A quoted local part has none.</summary>
    public static string Without(string localPart)
    {
        var plus = localPart.IndexOf('+', StringComparison.Ordinal);
        return plus > 0 && localPart[0] != '"' && IsTag(localPart.AsSpan(plus + 1)) ? localPart[..plus] : localPart;
    }

    private static bool IsTag(ReadOnlySpan<char> tag)
    {
        foreach (var rune in tag.EnumerateRunes())
        {
            if (!Rune.IsLetterOrDigit(rune) && rune.Value is not ('.' or '-' or '_' or '=' or '+'))
            {
                return false;
            }
        }

        return true;
    }
}
