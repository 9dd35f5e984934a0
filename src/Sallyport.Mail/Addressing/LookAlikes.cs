using System.Text;

namespace Sallyport.Mail.Addressing;

/// <summary>
/// Characters outside ASCII that become ASCII when text is compared: by case (the Kelvin sign K, the dotted İ) or as dots of a domain
/// (RFC 3490 §3.1). Two texts that differ in them alone would be one to some program and two to another, so none is let in.
/// </summary>
public static class LookAlikes
{
    private const string Dots = "\u3002\uFF0E\uFF61";

    public static bool In(string text)
    {
        if (Ascii.IsValid(text))
        {
            return false;
        }

        foreach (var rune in text.EnumerateRunes())
        {
            if (!rune.IsAscii && (rune.Value == 0x130 || Rune.ToLowerInvariant(rune).IsAscii))
            {
                return true;
            }
        }

        return false;
    }

    public static bool InDomain(string domain) => domain.AsSpan().ContainsAny(Dots) || In(domain);
}
