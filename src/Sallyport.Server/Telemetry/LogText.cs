using System.Text;

namespace Sallyport.Server.Telemetry;

/// <summary>What clients and remote servers send, fit for a line of a log: nothing in it can end the line or move the cursor.</summary>
public static class LogText
{
    /// <summary>Longer values are cut and end in an ellipsis.</summary>
    public const int BytesMax = 1024;

    public static string Clean(string value)
    {
        if (value.Length <= BytesMax / 4 && !NeedsEscape(value))
        {
            return value;
        }

        var clean = new StringBuilder(Math.Min(value.Length, BytesMax));
        var bytes = 0;
        foreach (var rune in value.EnumerateRunes())
        {
            var shown = Escapes(rune) ? $"\\x{{{rune.Value:x}}}" : rune.ToString();
            bytes += Encoding.UTF8.GetByteCount(shown);
            if (bytes > BytesMax - 3)
            {
                return clean.Append('…').ToString();
            }

            clean.Append(shown);
        }

        return clean.ToString();
    }

    private static bool NeedsEscape(string value)
    {
        foreach (var rune in value.EnumerateRunes())
        {
            if (Escapes(rune))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Control characters, line separators, and the marks that turn the direction of text.</summary>
    private static bool Escapes(Rune rune) =>
        Rune.IsControl(rune)
        || rune.Value is 0x2028 or 0x2029 or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0x200E or 0x200F or 0xFFFD;
}
