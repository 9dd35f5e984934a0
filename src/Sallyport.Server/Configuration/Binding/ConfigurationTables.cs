namespace Sallyport.Server.Configuration.Binding;

/// <summary>The tables of a configuration by their names, each once or in a list as it must be.</summary>
internal sealed class ConfigurationTables
{
    private static readonly string[] Tables = ["tls", "submission", "guard", "app_passwords", "relay", "limits", "timeouts", "log", "store",
        "breaker", "alert", "metrics"];
    private static readonly string[] Lists = ["listener", "directory", "grant", "sender", "quota", "route", "breaker.for"];

    private readonly List<Section> _sections = [];
    private readonly HashSet<string> _misread = new(StringComparer.Ordinal);
    private readonly ProblemList _problems;

    public ConfigurationTables(ConfigurationNode.Table tree, ProblemList problems)
    {
        _problems = problems;
        Top = new Section("", "", 1, problems);
        foreach (var entry in tree.Entries)
        {
            if (Tables.Contains(entry.Key))
            {
                AddTable(entry);
            }
            else if (Lists.Contains(entry.Key))
            {
                AddList(entry.Key, entry);
            }
            else if (IsTable(entry.Value))
            {
                problems.Report(entry.Line, entry.Key, "is not a known table" + Section.Guess(entry.Key, Tables.Concat(Lists)));
            }
            else
            {
                Top.Add(entry);
            }
        }
    }

    public Section Top { get; }

    /// <summary>The table of this name; an empty one when it is not there.</summary>
    public Section Table(string name) =>
        _sections.FirstOrDefault(section => section.Name == name) ?? new Section(name, name, 0, _problems);

    public bool Has(string name) => _sections.Any(section => section.Name == name);

    public IEnumerable<Section> List(string name) => _sections.Where(section => section.Name == name);

    private static bool IsTable(ConfigurationNode node) => node is ConfigurationNode.Table
        || (node is ConfigurationNode.Sequence { Items: { IsEmpty: false } items } && items.All(item => item is ConfigurationNode.Table));

    private void AddTable(ConfigurationEntry entry)
    {
        var name = entry.Key;
        if (entry.Value is ConfigurationNode.Sequence sequence && IsTable(sequence))
        {
            Misread(name, entry.Line, $"may be there only once: write [{name}]");
            AddSection(name, name, (ConfigurationNode.Table)sequence.Items[0]);
        }
        else if (entry.Value is not ConfigurationNode.Table table)
        {
            _problems.Report(entry.Line, name, $"must be a table: write [{name}]");
        }
        else if (_sections.FirstOrDefault(section => section.Name == name) is { } first)
        {
            _problems.Report(entry.Line, name, $"is there twice; the first time in {ProblemList.At(first.Line)}");
        }
        else
        {
            AddSection(name, name, table);
        }
    }

    private void AddList(string name, ConfigurationEntry entry)
    {
        if (entry.Value is not ConfigurationNode.Sequence sequence)
        {
            Misread(name, entry.Line, $"may be there more than once: write [[{name}]]");
            sequence = new ConfigurationNode.Sequence([entry.Value], entry.Line);
        }

        foreach (var item in sequence.Items)
        {
            if (item is ConfigurationNode.Table table)
            {
                AddSection(name, $"{name}[{List(name).Count()}]", table);
            }
            else
            {
                Misread(name, item.Line, $"must be tables: write [[{name}]]");
            }
        }
    }

    private void AddSection(string name, string path, ConfigurationNode.Table table)
    {
        var section = new Section(name, path, table.Line, _problems);
        _sections.Add(section);
        foreach (var entry in table.Entries)
        {
            if (Lists.Contains($"{name}.{entry.Key}"))
            {
                AddList($"{name}.{entry.Key}", entry);
            }
            else
            {
                section.Add(entry);
            }
        }
    }

    /// <summary>Told once for each name.</summary>
    private void Misread(string name, int line, string message)
    {
        if (_misread.Add(name))
        {
            _problems.Report(line, name, message);
        }
    }
}
