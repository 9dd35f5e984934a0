using System.Text;

namespace Sallyport.Mail.Smtp;

/// <summary>Characters by which a text passes for another where it is shown: they are escaped or refused, never handed to a screen.</summary>
public static class Shown
{
    /// <summary>Embeddings, overrides and isolates, which turn the text behind them around (UAX #9).</summary>
    public static bool Overrides(Rune rune) => rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);

    /// <summary>Controls, line separators, everything that turns the direction of text, and marks that are never seen.</summary>
    public static bool Deceives(Rune rune) => Rune.IsControl(rune) || Overrides(rune)
        || rune.Value is 0x061C or 0x200E or 0x200F or 0x2028 or 0x2029 or (>= 0x206A and <= 0x206F) or 0xFEFF or (>= 0xFFF9 and <= 0xFFFB);
}
