using System.Globalization;

namespace Sallyport.Server.Configuration;

/// <summary>Times and sizes as people write them.</summary>
public static class Quantities
{
    private static readonly (string Unit, TimeSpan Length)[] TimeUnits =
    [
        ("ms", TimeSpan.FromMilliseconds(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("m", TimeSpan.FromMinutes(1)),
        ("h", TimeSpan.FromHours(1)),
        ("d", TimeSpan.FromDays(1)),
    ];

    private static readonly (string Unit, long Bytes)[] SizeUnits =
    [
        ("KiB", 1024L), ("MiB", 1024L * 1024), ("GiB", 1024L * 1024 * 1024), ("TiB", 1024L * 1024 * 1024 * 1024),
        ("KB", 1000L), ("MB", 1000L * 1000), ("GB", 1000L * 1000 * 1000), ("TB", 1000L * 1000 * 1000 * 1000), ("B", 1L),
    ];

    /// <summary>"90s", "5m", "2h", "5d", "500ms".</summary>
    public static TimeSpan? ParseTime(string text)
    {
        foreach (var (unit, length) in TimeUnits)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal) && Number(text[..^unit.Length]) is { } number
                && number * length.TotalDays < 100_000)
            {
                return number * length;
            }
        }

        return null;
    }

    /// <summary>"50MiB", "1GB", "52428800".</summary>
    public static long? ParseSize(string text)
    {
        foreach (var (unit, bytes) in SizeUnits)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase) && Number(text[..^unit.Length]) is { } number
                && number * bytes < long.MaxValue / 2)
            {
                return (long)(number * bytes);
            }
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var plain) ? plain : null;
    }

    /// <summary>The largest unit that shows the time without a fraction.</summary>
    public static string Show(TimeSpan time)
    {
        foreach (var (unit, length) in TimeUnits.Reverse())
        {
            if (time.Ticks % length.Ticks == 0 && time.Ticks != 0)
            {
                return (time.Ticks / length.Ticks).ToString(CultureInfo.InvariantCulture) + unit;
            }
        }

        return "0s";
    }

    private static double? Number(string text) =>
        text.Length is > 0 and < 15 && double.TryParse(text.TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
