using System.Text.RegularExpressions;
using Xunit;

namespace Sallyport.Tests.Tidy;

/// <summary>Small habits that nobody keeps unless something asks.</summary>
public sealed partial class HabitTests
{
    [Fact]
    public void A_decision_has_a_number_of_its_own_and_its_heading_says_it()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs/decisions"), "*.md")
            .Select(path => Path.GetFileName(path)!).ToList();
        Assert.NotEmpty(pages);
        Assert.All(pages, page => Assert.Matches(DecisionName(), page));
        Assert.Empty(pages.GroupBy(page => page[..4]).Where(group => group.Count() > 1).Select(group => string.Join(" and ", group)));
        Assert.All(pages, page => Assert.StartsWith($"# {page[..4]} ", SourceTree.Read("docs/decisions/" + page), StringComparison.Ordinal));
    }

    [Fact]
    public void A_state_in_SQL_is_a_constant_with_a_name() => Assert.Empty(SourceTree.CSharp("src/Sallyport.Store")
        .SelectMany(file => file.Lines.Select((line, i) => (line, At: $"{file.Path}:{i + 1}")))
        .Where(place => StateDigit().IsMatch(place.line)).Select(place => $"{place.At}: {place.line.Trim()}"));

    [Fact]
    public void A_test_class_names_its_subject()
    {
        var types = SourceTree.CSharp("src", "fuzz").SelectMany(file => file.Lines).Select(line => Declaration().Match(line))
            .Where(match => match.Success).Select(match => match.Groups[1].Value).ToHashSet();
        var silent = new List<string>();
        foreach (var file in SourceTree.CSharp("tests"))
        {
            for (var i = 0; i < file.Lines.Length; i++)
            {
                var name = TestClass().Match(file.Lines[i]).Groups[1].Value;
                if (name.Length > 0 && !types.Contains(name) && !HasSummary(file.Lines, i))
                {
                    silent.Add($"{file.Path}: {name}Tests is named after no type, and no summary says what it is about");
                }
            }
        }

        Assert.Empty(silent);
    }

    private static bool HasSummary(string[] lines, int declaration)
    {
        var i = declaration - 1;
        while (i >= 0 && lines[i].StartsWith('['))
        {
            i--;
        }

        return i >= 0 && lines[i].StartsWith("///", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^\d{4}-[a-z0-9-]+\.md$")]
    private static partial Regex DecisionName();

    [GeneratedRegex(@"\bstate\s*(?:=|<>|<=|>=|<|>|IN\s*\()\s*\d")]
    private static partial Regex StateDigit();

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum)\s(\w+)")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^public (?:sealed |abstract |partial )*class (\w+)Tests\b")]
    private static partial Regex TestClass();
}
