using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Sallyport.Server.Configuration;

/// <summary>A TOML file as its tables, each key with its line.</summary>
internal sealed class TomlFile
{
    private static readonly string[] Tables = ["tls", "submission", "guard", "app_passwords", "relay", "limits", "timeouts", "log", "store",
        "breaker", "alert", "metrics"];
    private static readonly string[] Lists = ["listener", "directory", "grant", "sender", "quota", "route", "breaker.for"];

    private readonly List<Section> _sections = [];
    private readonly HashSet<string> _misread = new(StringComparer.Ordinal);
    private readonly List<ConfigurationProblem> _problems;
    private readonly string _file;

    public TomlFile(string file, string text, List<ConfigurationProblem> problems)
    {
        _file = file;
        _problems = problems;
        Top = new Section("", file, 1, problems);
        var document = SyntaxParser.Parse(text, file, validate: false); // what is there twice we report ourselves, once
        if (document.Diagnostics.MinBy(diagnostic => diagnostic.Span.Start.Line) is { } first)
        {
            IsBroken = true;
            problems.Add(new(file, first.Span.Start.Line + 1, "", "not TOML from here on: " + first.Message.TrimEnd('.')));
            return;
        }

        Fill(Top, document.KeyValues);
        foreach (var table in document.Tables)
        {
            AddTable(table);
        }
    }

    public Section Top { get; }

    /// <summary>True when this is no TOML; where it begins to be none is reported, and nothing is read.</summary>
    public bool IsBroken { get; }

    /// <summary>The table of this name; an empty one when it is not in the file.</summary>
    public Section Table(string name) =>
        _sections.FirstOrDefault(section => section.Name == name) ?? new Section(name, _file, 0, _problems);

    public bool Has(string name) => _sections.Any(section => section.Name == name);

    public IEnumerable<Section> List(string name) => _sections.Where(section => section.Name == name);

    private void AddTable(TableSyntaxBase table)
    {
        var name = NameOf(table.Name);
        var line = table.Span.Start.Line + 1;
        var isList = table is TableArraySyntax;
        if (!Tables.Contains(name) && !Lists.Contains(name))
        {
            _problems.Add(new(_file, line, name, "is not a known table" + Section.Guess(name, Tables.Concat(Lists))));
            return;
        }

        if (!isList && Tables.Contains(name) && _sections.FirstOrDefault(section => section.Name == name) is { } first)
        {
            _problems.Add(new(_file, line, name, $"is there twice; the first time in line {first.Line}"));
            return;
        }

        if (isList != Lists.Contains(name) && _misread.Add(name))
        {
            _problems.Add(new(_file, line, name, isList
                ? $"may be there only once: write [{name}]"
                : $"may be there more than once: write [[{name}]]"));
        }

        var section = new Section(name, _file, line, _problems);
        Fill(section, table.Items);
        _sections.Add(section);
    }

    private void Fill(Section section, IEnumerable<KeyValueSyntax> items)
    {
        foreach (var item in items)
        {
            var key = NameOf(item.Key);
            var line = item.Span.Start.Line + 1;
            if (item.Key?.DotKeys.ChildrenCount > 0)
            {
                _problems.Add(new(_file, line, key, $"write it as a table: [{key.Split('.')[0]}] and the key in a line below it"));
                continue;
            }

            section.Add(key, item.Value, line);
        }
    }

    internal static string NameOf(KeySyntax? key)
    {
        var name = Part(key?.Key);
        foreach (var dotted in key?.DotKeys ?? [])
        {
            name += "." + Part(dotted.Key);
        }

        return name;
    }

    private static string Part(BareKeyOrStringValueSyntax? part) => part switch
    {
        BareKeySyntax bare => bare.Key?.Text ?? "",
        StringValueSyntax quoted => quoted.Value ?? "",
        _ => "",
    };
}
