using System.Text;
using System.Text.Json;

namespace Sallyport.Server.Configuration.Json;

/// <summary>JSON, as a console sends a configuration, as a tree: the same names, tables and lists as in the file.</summary>
internal static class JsonSource
{
    private static readonly JsonReaderOptions Bounded = new() { MaxDepth = ConfigurationNode.DepthMax };

    /// <summary>Null when this is not JSON, or not an object; which is reported.</summary>
    public static ConfigurationNode.Table? Read(string text, Action<int, string, string> report)
    {
        var octets = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(octets, Bounded);
        try
        {
            var lines = new LineCounter(octets);
            reader.Read();
            var tree = ReadNode(ref reader, ref lines);
            if (tree is ConfigurationNode.Table table && !reader.Read())
            {
                return table;
            }

            report(1, "", "must be one JSON object with the tables of a configuration");
        }
        catch (JsonException exception)
        {
            report((int)(exception.LineNumber ?? 0) + 1, "", "not JSON from here on");
        }

        return null;
    }

    /// <summary>The reader has bounded the depth.</summary>
    private static ConfigurationNode ReadNode(ref Utf8JsonReader reader, ref LineCounter lines)
    {
        var line = lines.At(reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var entries = new List<ConfigurationEntry>();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var (key, at) = (TextOf(ref reader), lines.At(reader.TokenStartIndex));
                    reader.Read();
                    entries.Add(new(key, ReadNode(ref reader, ref lines), at));
                }

                return new ConfigurationNode.Table([.. entries], line);
            case JsonTokenType.StartArray:
                var items = new List<ConfigurationNode>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(ReadNode(ref reader, ref lines));
                }

                return new ConfigurationNode.Sequence([.. items], line);
            case JsonTokenType.String:
                return new ConfigurationNode.Text(TextOf(ref reader), line);
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var whole) ? new ConfigurationNode.Integer(whole, line)
                    : reader.TryGetDouble(out var number) ? new ConfigurationNode.Real(number, line)
                    : new ConfigurationNode.Other(line);
            case JsonTokenType.True or JsonTokenType.False:
                return new ConfigurationNode.Flag(reader.TokenType == JsonTokenType.True, line);
            default:
                return new ConfigurationNode.Other(line);
        }
    }

    /// <summary>An escaped half of a surrogate pair is no text.</summary>
    private static string TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("not a text", exception);
        }
    }

    /// <summary>Counts as the reader goes on: no octet is looked at twice.</summary>
    private ref struct LineCounter(ReadOnlySpan<byte> octets)
    {
        private readonly ReadOnlySpan<byte> _octets = octets;
        private int _line = 1;
        private int _seen;

        public int At(long index)
        {
            _line += _octets[_seen..(int)index].Count((byte)'\n');
            _seen = (int)index;
            return _line;
        }
    }
}
