using System.Text.RegularExpressions;
using Xunit;

namespace Sallyport.Tests.Tidy;

/// <summary>Prose nothing checks will rot: what the documents name must exist.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public void Each_source_folder_is_named_in_ARCHITECTURE()
    {
        var text = SourceTree.Read("ARCHITECTURE.md");
        var missing = SourceTree.Folders("src").Where(folder => !text.Contains($"`{folder}/`", StringComparison.Ordinal));
        Assert.Empty(missing);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("ARCHITECTURE.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("STYLE.md")]
    [InlineData("SECURITY.md")]
    [InlineData("fuzz/README.md")]
    [InlineData("docs/rfc-coverage.md")]
    public void Each_path_a_document_names_exists(string document)
    {
        var named = PathInBackticks().Matches(SourceTree.Read(document)).Select(match => match.Groups[1].Value)
            .Concat(RelativeLink().Matches(SourceTree.Read(document)).Select(match => match.Groups[1].Value));
        var missing = named.Distinct().Where(path => !SourceTree.Exists(path.TrimEnd('/'))
            && !SourceTree.Exists(Path.Combine(Path.GetDirectoryName(document) ?? "", path)));
        Assert.Empty(missing);
    }

    [Fact]
    public void Each_row_of_the_RFC_coverage_names_code_and_a_test_that_exist()
    {
        var rows = SourceTree.Read("docs/rfc-coverage.md").Split('\n').Where(line => line.StartsWith("| RFC", StringComparison.Ordinal)).ToList();
        Assert.True(rows.Count >= 40, "the table is too short to be true");
        var tests = SourceTree.CSharp("tests").SelectMany(file => file.Lines)
            .Select(line => TestName().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value).ToHashSet();
        var wrong = new List<string>();
        foreach (var row in rows)
        {
            var cells = row.Split('|', StringSplitOptions.TrimEntries);
            wrong.AddRange(Ticks(cells[3]).Where(path => !SourceTree.Exists(path)).Select(path => $"{cells[1]}: no file {path}"));
            var proofs = Ticks(cells[4]).ToList();
            wrong.AddRange(proofs.Where(proof => !tests.Contains(proof) && !SourceTree.Exists(proof))
                .Select(proof => $"{cells[1]}: no test {proof}"));
            if (proofs.Count == 0 || !Ticks(cells[3]).Any())
            {
                wrong.Add($"{cells[1]}: a row needs code and a test");
            }
        }

        Assert.Empty(wrong);
    }

    private static IEnumerable<string> Ticks(string cell) =>
        BackTicked().Matches(cell).Select(match => match.Groups[1].Value);

    [GeneratedRegex("`((?:src|tests|docs|packaging|bench|fuzz)/[^`* ]+)`")]
    private static partial Regex PathInBackticks();

    [GeneratedRegex(@"\]\((?!https?:|#)([^)#]+)")]
    private static partial Regex RelativeLink();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex BackTicked();

    [GeneratedRegex(@"public (?:async )?(?:void|Task|ValueTask) (\w+)\(")]
    private static partial Regex TestName();
}
