using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Text;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>
/// One table of the configuration. It learns its keys from being asked for them: what is left at the end is an unknown key, and the
/// nearest of the asked ones is what was probably meant.
/// </summary>
/// <param name="name">As people write it: "route".</param>
/// <param name="path">Its place among its like: "route[1]".</param>
/// <param name="line">0 when it is not there.</param>
internal sealed class Section(string name, string path, int line, ProblemList problems)
{
    private const int GuessDistanceMax = 4;

    private readonly Dictionary<string, ConfigurationEntry> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public string Name => name;

    public int Line => line;

    public void Add(ConfigurationEntry entry)
    {
        if (!_entries.TryAdd(entry.Key, entry))
        {
            Report(entry.Line, entry.Key, $"is set twice; the first time in {ProblemList.At(_entries[entry.Key].Line)}");
        }
    }

    public bool Has(string key)
    {
        _known.Add(key);
        return _entries.ContainsKey(key);
    }

    public int LineOf(string key) => _entries.TryGetValue(key, out var entry) ? entry.Line : line;

    public string? Text(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value is ConfigurationNode.Text { Value: { Length: > 0 } text })
        {
            return text;
        }

        Report(key, value is ConfigurationNode.Text ? "must not be empty" : "must be a text in quotation marks");
        return null;
    }

    /// <summary>Is it there as ""? Only where empty is a value of its own.</summary>
    public bool IsEmptyText(string key) => Find(key) is ConfigurationNode.Text { Value: "" };

    /// <summary>Is it there as []? Only where nothing is a value of its own.</summary>
    public bool IsEmptyList(string key) => Find(key) is ConfigurationNode.Sequence { Items.IsEmpty: true };

    public string? RequiredText(string key, string example)
    {
        if (!Has(key))
        {
            Report(line, key, $"is missing; for example {key} = \"{example}\"");
            return null;
        }

        return Text(key);
    }

    /// <summary>One text or a list of them.</summary>
    public ImmutableArray<(string Text, int Line)> Texts(string key)
    {
        if (Find(key) is not { } value)
        {
            return [];
        }

        var items = value is ConfigurationNode.Sequence sequence ? sequence.Items : [value];
        var texts = ImmutableArray.CreateBuilder<(string, int)>();
        foreach (var item in items)
        {
            if (item is ConfigurationNode.Text { Value: { Length: > 0 } text })
            {
                texts.Add((text, item.Line));
            }
            else
            {
                Report(key, "must be a text in quotation marks, or a list of such texts");
                return [];
            }
        }

        if (texts.Count == 0)
        {
            Report(key, "must not be empty");
        }

        return texts.ToImmutable();
    }

    /// <summary>Addresses and networks, one or a list of them; those that are none are reported.</summary>
    public ValueList<IPNetwork> Networks(string key)
    {
        var networks = new List<IPNetwork>();
        foreach (var (text, at) in Texts(key))
        {
            if (NetworkText.Parse(text) is { } network)
            {
                networks.Add(network);
            }
            else
            {
                Report(at, key, $"\"{text}\" is not a network; \"192.0.2.0/24\" and \"2001:db8::/32\" are");
            }
        }

        return [.. networks];
    }

    /// <summary>Is it there as true or false? Only where another kind of value may be, too.</summary>
    public bool IsFlag(string key) => Find(key) is ConfigurationNode.Flag;

    /// <summary>A table within a line: { hour = 300, day = 2000 }. Its reader calls its <see cref="Finish"/>. Null when it is not there.</summary>
    public Section? Braces(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value is not ConfigurationNode.Table table)
        {
            Report(key, "must be a table in braces, like { hour = 300, day = 2000 }");
            return null;
        }

        var inner = new Section($"{name}.{key}", $"{path}.{key}", LineOf(key), problems);
        foreach (var entry in table.Entries)
        {
            inner.Add(entry);
        }

        return inner;
    }

    public bool Flag(string key, bool otherwise)
    {
        switch (Find(key))
        {
            case null:
                return otherwise;
            case ConfigurationNode.Flag flag:
                return flag.Value;
            default:
                Report(key, "must be true or false");
                return otherwise;
        }
    }

    public long Number(string key, long otherwise, long least, long most)
    {
        switch (Find(key))
        {
            case null:
                return otherwise;
            case ConfigurationNode.Integer number when number.Value >= least && number.Value <= most:
                return number.Value;
            default:
                Report(key, $"must be a whole number from {least} to {most}");
                return otherwise;
        }
    }

    public int Number(string key, int otherwise, int least, int most) => (int)Number(key, (long)otherwise, least, most);

    public double Factor(string key, double otherwise, double least, double most)
    {
        var factor = Find(key) switch
        {
            null => otherwise,
            ConfigurationNode.Real number => number.Value,
            ConfigurationNode.Integer number => number.Value,
            _ => double.NaN,
        };
        if (factor >= least && factor <= most)
        {
            return factor;
        }

        Report(key, FormattableString.Invariant($"must be a number from {least} to {most}"));
        return otherwise;
    }

    public long Size(string key, long otherwise, long least, long most)
    {
        var size = Find(key) switch
        {
            null => otherwise,
            ConfigurationNode.Integer number => number.Value,
            ConfigurationNode.Text { Value: var text } => Quantities.ParseSize(text) ?? -1,
            _ => -1,
        };
        if (size >= least && size <= most)
        {
            return size;
        }

        Report(key, $"must be a size from {least} to {most} bytes, as a number or with a unit like \"50MiB\"");
        return otherwise;
    }

    public int Size(string key, int otherwise, int least, int most) => (int)Size(key, (long)otherwise, least, most);

    public TimeSpan Time(string key, TimeSpan otherwise, TimeSpan least, TimeSpan most)
    {
        var time = Find(key) switch
        {
            null => otherwise,
            ConfigurationNode.Text { Value: var text } => Quantities.ParseTime(text),
            _ => null,
        };
        if (time >= least && time <= most)
        {
            return time.Value;
        }

        Report(key, $"must be a time from {Quantities.Show(least)} to {Quantities.Show(most)}, written like \"90s\", \"5m\", \"2h\" or \"5d\"");
        return otherwise;
    }

    public T? Choice<T>(string key, params (string Word, T Value)[] choices)
        where T : struct
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        var text = (value as ConfigurationNode.Text)?.Value ?? "";
        foreach (var (word, choice) in choices)
        {
            if (word == text)
            {
                return choice;
            }
        }

        var words = choices.Select(choice => choice.Word).ToList();
        Report(key, $"must be {string.Join(" or ", words.Select(word => $"\"{word}\""))}" + Guess(text, words));
        return null;
    }

    public void Report(string key, string message) => Report(LineOf(key), key, message);

    public void Report(int at, string key, string message) => problems.Report(at, Under(name, key), message, Under(path, key));

    /// <summary>What is allowed and yet probably not meant.</summary>
    public void Warn(string key, string message) => Warn(LineOf(key), key, message);

    public void Warn(int at, string key, string message) => problems.Warn(at, Under(name, key), message, Under(path, key));

    /// <summary>Reports the keys nobody asked for.</summary>
    public void Finish()
    {
        foreach (var (key, entry) in _entries.Where(entry => !_known.Contains(entry.Key)))
        {
            var place = name.Length > 0 ? $"in [{name}]" : "at the top of the file";
            Report(entry.Line, key, $"is not known {place}" + Guess(key, _known));
        }
    }

    public static string Guess(string text, IEnumerable<string> words)
    {
        var nearest = words.MinBy(word => EditDistance.Between(word, text));
        return nearest is not null && text.Length is > 0 and < 80
            && EditDistance.Between(nearest, text) <= Math.Min(GuessDistanceMax, nearest.Length / 2)
            ? $"; did you mean \"{nearest}\"?"
            : "";
    }

    private static string Under(string table, string key) => table.Length > 0 && key.Length > 0 ? $"{table}.{key}" : table + key;

    private ConfigurationNode? Find(string key)
    {
        _known.Add(key);
        return _entries.GetValueOrDefault(key).Value;
    }
}
