using System.Text;

namespace Sallyport.Mail.Text;

/// <summary>Text from elsewhere, made fit to be shown: nothing in it passes for other text or leaves its line.</summary>
public static class DisplayText
{
    /// <summary>Characters <see cref="Sanitize"/> keeps.</summary>
    public const int LengthMax = 200;

    /// <summary>Deceptive characters become "?"; what is longer than <see cref="LengthMax"/> ends with "...".</summary>
    public static string Sanitize(string text)
    {
        var shown = new StringBuilder(Math.Min(text.Length, LengthMax));
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length >= LengthMax)
            {
                return shown.Append("...").ToString();
            }

            shown.Append(IsDeceptive(rune) ? "?" : rune.ToString());
        }

        return shown.ToString();
    }

    /// <summary>Embeddings, overrides and isolates, which turn the text behind them around (UAX #9).</summary>
    public static bool OverridesDirection(Rune rune) => rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);

    /// <summary>Controls, line separators, everything that turns the direction of text, and marks that are never seen.</summary>
    public static bool IsDeceptive(Rune rune) => Rune.IsControl(rune) || OverridesDirection(rune)
        || rune.Value is 0x061C or 0x200E or 0x200F or 0x2028 or 0x2029 or (>= 0x206A and <= 0x206F) or 0xFEFF or (>= 0xFFF9 and <= 0xFFFB);
}
