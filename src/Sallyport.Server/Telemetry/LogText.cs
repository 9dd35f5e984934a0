using System.Text;
using Sallyport.Mail.Text;

namespace Sallyport.Server.Telemetry;

/// <summary>What clients and remote servers send, fit for a line of a log: nothing in it can end the line or move the cursor.</summary>
public static class LogText
{
    /// <summary>Longer values are cut and end in an ellipsis.</summary>
    public const int BytesMax = 1024;

    public static string Clean(string value) => Escape(value, BytesMax, quotes: false);

    /// <summary>In quotes that nothing in the value can close: a quote and a backslash get a backslash before them.</summary>
    public static string Quoted(string value) => $"\"{Escape(value, BytesMax, quotes: true)}\"";

    /// <summary>The same of any length.</summary>
    public static string CleanWhole(string value) => Escape(value, int.MaxValue, quotes: false);

    private static string Escape(string value, int bytesMax, bool quotes)
    {
        if (value.Length <= bytesMax / 4 && !NeedsEscape(value, quotes))
        {
            return value;
        }

        var clean = new StringBuilder(Math.Min(value.Length, BytesMax));
        var bytes = 0;
        foreach (var rune in value.EnumerateRunes())
        {
            var shown = Escapes(rune) ? $"\\x{{{rune.Value:x}}}" : quotes && IsQuote(rune) ? "\\" + rune : rune.ToString();
            bytes += Encoding.UTF8.GetByteCount(shown);
            if (bytes > bytesMax - 3)
            {
                return clean.Append('…').ToString();
            }

            clean.Append(shown);
        }

        return clean.ToString();
    }

    private static bool NeedsEscape(string value, bool quotes)
    {
        foreach (var rune in value.EnumerateRunes())
        {
            if (Escapes(rune) || (quotes && IsQuote(rune)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsQuote(Rune rune) => rune.Value is '"' or '\\';

    /// <summary>What could pass for other text, and what was no text at all.</summary>
    private static bool Escapes(Rune rune) => DisplayText.IsDeceptive(rune) || rune == Rune.ReplacementChar;
}
