namespace Sallyport.Server.Configuration.Toml;

/// <summary>A table that is still being read: its headers may come in any order.</summary>
internal sealed class TableBuilder(int line)
{
    private readonly List<(string Key, object Value, int Line)> _entries = [];
    private int _line = line;
    private bool _isDefined;

    public void Add(string key, ConfigurationNode value, int at) => _entries.Add((key, value, at));

    /// <summary>The table of this name, or the last of its list; made when there is none yet.</summary>
    public TableBuilder Enter(string key, int at)
    {
        switch (Last(key))
        {
            case TableBuilder table:
                return table;
            case List<TableBuilder> list:
                return list[^1];
            default:
                var made = new TableBuilder(at);
                _entries.Add((key, made, at));
                return made;
        }
    }

    /// <summary>[key]. A second one is an entry of its own.</summary>
    public TableBuilder Define(string key, int at)
    {
        if (Last(key) is TableBuilder { _isDefined: false } implied)
        {
            implied._isDefined = true;
            implied._line = at;
            return implied;
        }

        var made = new TableBuilder(at) { _isDefined = true };
        _entries.Add((key, made, at));
        return made;
    }

    /// <summary>[[key]].</summary>
    public TableBuilder Append(string key, int at)
    {
        var made = new TableBuilder(at) { _isDefined = true };
        if (Last(key) is List<TableBuilder> list)
        {
            list.Add(made);
        }
        else
        {
            _entries.Add((key, new List<TableBuilder> { made }, at));
        }

        return made;
    }

    /// <summary>No deeper than a header has names.</summary>
    public ConfigurationNode.Table Build() =>
        new([.. _entries.Select(entry => new ConfigurationEntry(entry.Key, Built(entry.Value, entry.Line), entry.Line))], _line);

    private static ConfigurationNode Built(object value, int at) => value switch
    {
        TableBuilder table => table.Build(),
        List<TableBuilder> list => new ConfigurationNode.Sequence([.. list.Select(table => table.Build())], at),
        _ => (ConfigurationNode)value,
    };

    private object? Last(string key) => _entries.LastOrDefault(entry => entry.Key == key).Value;
}
