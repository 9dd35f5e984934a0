using System.Text.RegularExpressions;
using Xunit;

namespace Sallyport.Tests.Tidy;

/// <summary>What nothing in src names but its own declaration is dead: it is read, kept up to date and believed for nothing.</summary>
public sealed partial class DeadMemberTests
{
    /// <summary>What is there for somebody the source does not show.</summary>
    private static readonly Dictionary<string, string> Allowed = new(StringComparer.Ordinal)
    {
        ["ToMarkdown"] = "a test writes docs/operating/state-table.md with it",
        ["Microseconds"] = "struct timeval has it in this place",
        ["Written"] = "a case of what a write came to; whoever asks for the others means it",
        ["Conflict"] = "a case of what a write came to; whoever asks for the others means it",
        ["Reopen"] = "tests of the log rotate with it",
        ["Pass"] = "the way of our own messages through the content stages",
    };

    [Fact]
    public void Each_member_is_used_somewhere_in_src()
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var declared = new List<(string Name, string At)>();
        foreach (var file in SourceTree.CSharp("src"))
        {
            for (var i = 0; i < file.Lines.Length; i++)
            {
                var code = WithoutComment(file.Lines[i]);
                foreach (Match word in Identifier().Matches(code))
                {
                    counts[word.Value] = counts.GetValueOrDefault(word.Value) + 1;
                }

                var match = Member().Match(code);
                if (match.Success && !code.Contains(" override ", StringComparison.Ordinal) && !code.Contains(" operator ", StringComparison.Ordinal)
                    && !HasAttribute(file.Lines, i))
                {
                    declared.Add((match.Groups[1].Value, $"{file.Path}:{i + 1}"));
                }
            }
        }

        Assert.True(declared.Count > 2000, "the scan found hardly any member: the scan is wrong");
        var dead = declared.Where(member => counts[member.Name] == 1).ToList();
        Assert.Empty(dead.Where(member => !Allowed.ContainsKey(member.Name)).Select(member => $"{member.At}: {member.Name}"));
    }

    /// <summary>Serializers and the runtime find what has an attribute.</summary>
    private static bool HasAttribute(string[] lines, int i) => i > 0 && lines[i - 1].TrimStart().StartsWith('[');

    private static string WithoutComment(string line)
    {
        var comment = line.IndexOf("//", StringComparison.Ordinal);
        return comment >= 0 && !line[..comment].Contains('"', StringComparison.Ordinal) ? line[..comment] : line;
    }

    [GeneratedRegex(@"\b[A-Za-z_]\w*\b")]
    private static partial Regex Identifier();

    /// <summary>A member of a type: indented, with an accessibility, its name before (, {, =, ; or =>.</summary>
    [GeneratedRegex(@"^\s{4,}(?:public|internal|private|protected)\s(?!.*\b(?:class|struct|interface|enum|delegate|implicit|explicit)\b)"
        + @"(?:[\w<>\[\],.?()\s]*\s)?(\w+)(?:<\w+>)?\s?(?:\(|\{|=|;)")]
    private static partial Regex Member();
}
