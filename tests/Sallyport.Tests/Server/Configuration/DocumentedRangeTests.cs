using System.Globalization;
using System.Text.RegularExpressions;
using Sallyport.Tests.Tidy;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>The ranges in docs/operating/configuration.md are those of the readers: each end is taken, and what is just beyond it is not.</summary>
public sealed partial class DocumentedRangeTests
{
    private static readonly Dictionary<string, long> Units = new(StringComparer.Ordinal)
    {
        ["ms"] = 1,
        ["s"] = 1000,
        ["m"] = 60_000,
        ["h"] = 3_600_000,
        ["d"] = 86_400_000,
        ["KiB"] = 1L << 10,
        ["MiB"] = 1L << 20,
        ["GiB"] = 1L << 30,
        ["TiB"] = 1L << 40,
    };

    [Fact]
    public void Each_documented_range_is_the_readers()
    {
        using var site = new SiteFolder();
        var ranges = Ranges().ToList();
        Assert.True(ranges.Count >= 60, $"only {ranges.Count} ranges were found in the page: the test reads it wrongly");
        var wrong = new List<string>();
        foreach (var (section, key, least, most) in ranges)
        {
            var (from, to) = (Values(least, most), Values(most, least));
            wrong.AddRange(((string[])[from.At, to.At]).Where(value => IsOutside(site, section, key, value))
                .Select(value => $"{section}.{key} = {value} is documented and refused"));
            wrong.AddRange(((string[])[from.Below, to.Above]).Where(value => !IsOutside(site, section, key, value))
                .Select(value => $"{section}.{key} = {value} is beyond what is documented, and taken"));
        }

        Assert.Empty(wrong);
    }

    private static bool IsOutside(SiteFolder site, string section, string key, string value) => site.Problems(more: $"[{section}]\n{key} = {value}\n")
        .Any(problem => problem.Contains($": {section}.{key}: must be a ", StringComparison.Ordinal)
            && problem.Contains(" from ", StringComparison.Ordinal));

    /// <summary>Rows of the tables that have a column of ranges.</summary>
    private static IEnumerable<(string Section, string Key, string Least, string Most)> Ranges()
    {
        var (section, hasRange) = ("", false);
        foreach (var line in SourceTree.Read("docs/operating/configuration.md").Split('\n'))
        {
            section = Heading().Match(line) is { Success: true } heading ? heading.Groups[1].Value : section;
            hasRange = line.StartsWith("| Key", StringComparison.Ordinal) ? line.Contains("| Default | Range |", StringComparison.Ordinal) : hasRange;
            var cells = line.Split('|', StringSplitOptions.TrimEntries);
            if (!hasRange || cells.Length < 5 || !cells[1].StartsWith('`'))
            {
                continue;
            }

            var keys = Key().Matches(cells[1]).Select(match => match.Groups[1].Value).ToList();
            var ranges = Range().Matches(cells[3]);
            for (var i = 0; i < keys.Count && ranges.Count > 0; i++)
            {
                var range = ranges[ranges.Count == keys.Count ? i : 0];
                yield return (section, keys[i], range.Groups[1].Value, range.Groups[2].Value);
            }
        }
    }

    /// <summary>A value as the file has it, and its neighbours by the smallest step there is.</summary>
    private static (string At, string Below, string Above) Values(string text, string other)
    {
        if (text.Contains('.', StringComparison.Ordinal) || other.Contains('.', StringComparison.Ordinal))
        {
            var ratio = decimal.Parse(text, CultureInfo.InvariantCulture);
            return (Show(ratio), Show(ratio - 0.001m), Show(ratio + 0.001m));
        }

        var isTime = IsTime(text) || IsTime(other);
        var number = Number(text);
        return (Literal(number), Literal(number - 1), Literal(number + 1));

        string Literal(long value) => isTime ? $"\"{value}ms\"" : value.ToString(CultureInfo.InvariantCulture);
    }

    private static bool IsTime(string text) => Unit().Match(text).Value is "ms" or "s" or "m" or "h" or "d";

    private static long Number(string text)
    {
        var unit = Unit().Match(text).Value;
        return long.Parse(text[..^unit.Length], CultureInfo.InvariantCulture) * (unit.Length > 0 ? Units[unit] : 1);
    }

    private static string Show(decimal value) => value.ToString("0.0##", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^##+ \[+(\w+)\]+")]
    private static partial Regex Heading();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Key();

    [GeneratedRegex(@"([0-9.]+[A-Za-z]*) – ([0-9.]+[A-Za-z]*)")]
    private static partial Regex Range();

    [GeneratedRegex("[A-Za-z]+$")]
    private static partial Regex Unit();
}
