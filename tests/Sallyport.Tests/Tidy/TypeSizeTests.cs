using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace Sallyport.Tests.Tidy;

/// <summary>STYLE.md, "Size": a type is what a reader holds at once, in however many files it lies.</summary>
public sealed partial class TypeSizeTests
{
    private const int LinesMax = 400;
    private const int FieldsMax = 15;

    [Fact]
    public void No_type_is_longer_than_400_lines_over_all_its_files()
    {
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var file in SourceTree.CSharp("src"))
        {
            foreach (var (name, count) in TopTypes(file))
            {
                lines[name] = lines.GetValueOrDefault(name) + count;
            }
        }

        Assert.True(lines.Count > 300, "the scan found hardly any type: the scan is wrong");
        Assert.Empty(lines.Where(type => type.Value > LinesMax).Select(type => $"{type.Key}: {type.Value} lines"));
    }

    /// <summary>Records carry facts and may have as many as there are; a class or struct with much state does too much.</summary>
    [Fact]
    public void No_class_has_more_than_15_instance_fields()
    {
        var types = NamespaceTests.Assemblies.SelectMany(name => NamespaceTests.Find(name.Data).GetTypes())
            .Where(type => type.Namespace?.StartsWith("Sallyport", StringComparison.Ordinal) == true
                && !type.Name.Contains('<', StringComparison.Ordinal)
                && type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly) is null
                && !type.Name.EndsWith("Json", StringComparison.Ordinal)) // the compiler's, one field a type
            .ToList();
        Assert.Empty(types.Select(type => (type.FullName, Count: Fields(type))).Where(type => type.Count > FieldsMax)
            .Select(type => $"{type.FullName}: {type.Count} fields"));
    }

    private static int Fields(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly).Length;

    private static IEnumerable<(string Name, int Lines)> TopTypes(SourceFile file)
    {
        var space = file.Lines.FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))?[10..].TrimEnd(';') ?? "";
        for (var i = 0; i < file.Lines.Length; i++)
        {
            if (Declaration().Match(file.Lines[i]) is not { Success: true } match)
            {
                continue;
            }

            yield return ($"{space}.{match.Groups[1].Value}", EndOf(file.Lines, i) - i + 1);
        }
    }

    private static int EndOf(string[] lines, int declaration)
    {
        var isOpen = false;
        for (var i = declaration; i < lines.Length; i++)
        {
            isOpen |= lines[i] == "{";
            if (lines[i] == "}" || (!isOpen && lines[i].EndsWith(';')))
            {
                return i;
            }
        }

        return lines.Length - 1;
    }

    [GeneratedRegex(@"^(?:public|internal|file)\s(?:[a-z]+\s)*(?:class|struct|record|interface|enum)\s(\w+)")]
    private static partial Regex Declaration();
}
