using Xunit;

namespace Sallyport.Tests.Tidy;

/// <summary>STYLE.md, "Size": what a reader can hold at once.</summary>
public sealed class LengthTests
{
    private const int FileLinesMax = 500;
    private const int FileLinesUsual = 400;
    private const int MethodLinesMax = 70;
    private const int MethodLinesUsual = 40;
    private const int LineColumnsMax = 150;

    [Fact]
    public void No_file_is_longer_than_500_lines_and_nearly_all_stay_below_400()
    {
        var files = SourceTree.CSharp("src", "tests").ToList();
        Assert.NotEmpty(files);
        Assert.Empty(files.Where(file => file.Lines.Length > FileLinesMax).Select(file => $"{file.Path}: {file.Lines.Length}"));
        var usual = files.Count(file => file.Lines.Length <= FileLinesUsual);
        Assert.True(usual >= files.Count * 0.95, $"{files.Count - usual} of {files.Count} files are longer than {FileLinesUsual}");
    }

    [Fact]
    public void No_line_is_wider_than_150_columns()
    {
        var wide = SourceTree.CSharp("src", "tests").SelectMany(file => file.Lines
            .Select((line, i) => (line, at: $"{file.Path}:{i + 1}"))
            .Where(x => x.line.Length > LineColumnsMax)
            .Select(x => x.at));
        Assert.Empty(wide);
    }

    [Fact]
    public void No_method_is_longer_than_70_lines_and_nine_in_ten_stay_below_40()
    {
        var methods = SourceTree.CSharp("src").SelectMany(MethodBodies).ToList();
        Assert.True(methods.Count > 100, "the scan found hardly any method: the scan is wrong");
        Assert.Empty(methods.Where(method => method.Lines > MethodLinesMax).Select(method => $"{method.At}: {method.Lines}"));
        Assert.True(methods.Count(method => method.Lines <= MethodLinesUsual) >= methods.Count * 0.9);
    }

    /// <summary>In our layout a member's body is an opening brace alone on its line, closed by a brace of the same indent.</summary>
    private static IEnumerable<(string At, int Lines)> MethodBodies(SourceFile file)
    {
        for (var i = 1; i < file.Lines.Length; i++)
        {
            var line = file.Lines[i];
            var indent = line.Length - line.TrimStart().Length;
            if (line.Trim() != "{" || indent is not (4 or 8) || !StartsMember(file.Lines, i, indent))
            {
                continue;
            }

            var end = Array.FindIndex(file.Lines, i + 1, l => l.TrimEnd() is var t && (t == new string(' ', indent) + "}"));
            if (end > 0)
            {
                yield return ($"{file.Path}:{i}", end - i + 1);
            }
        }
    }

    private static bool StartsMember(string[] lines, int brace, int indent)
    {
        for (var i = brace - 1; i >= 0; i--)
        {
            var line = lines[i];
            if (line.Length - line.TrimStart().Length > indent)
            {
                continue; // a parameter or a constraint on a line of its own
            }

            var text = line.Trim();
            string[] types = ["class ", "record ", "struct ", "interface ", "enum ", "namespace ", "extension("];
            string[] members = ["public ", "private ", "internal ", "protected ", "static ", "async ", "file "];
            return members.Any(word => text.StartsWith(word, StringComparison.Ordinal))
                && !types.Any(word => (" " + text).Contains(" " + word, StringComparison.Ordinal));
        }

        return false;
    }
}
