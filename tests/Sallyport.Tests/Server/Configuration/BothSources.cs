using System.Globalization;
using System.Text;
using System.Text.Json;
using Sallyport.Server.Configuration;
using Sallyport.Server.Configuration.Toml;
using Sallyport.Server.Configuration.Validation;
using Xunit;

namespace Sallyport.Tests.Server.Configuration;

/// <summary>Checks a configuration as TOML and again as JSON, line for line: the same mistakes, the same doubts, the same options.</summary>
internal static class BothSources
{
    public static ConfigurationResult Load(string file)
    {
        var result = ConfigurationLoader.Load(file);
        if (File.Exists(file))
        {
            Compare(file, File.ReadAllText(file), result);
        }

        return result;
    }

    public static ConfigurationResult Parse(string file, string text)
    {
        var result = ConfigurationLoader.Parse(file, text);
        Compare(file, text, result);
        return result;
    }

    /// <summary>A tree as JSON with each key in its line.</summary>
    public static string ToJson(ConfigurationNode.Table tree)
    {
        var json = new Writer();
        json.Write(tree);
        return json.ToString();
    }

    private static void Compare(string file, string text, ConfigurationResult toml)
    {
        var syntax = new List<string>();
        if (TomlSource.Read(text, (_, _, message) => syntax.Add(message)) is not { } tree || syntax.Count > 0)
        {
            return; // what only TOML can get wrong
        }

        var json = ConfigurationValidator.Check(ToJson(tree), file, ConfigurationFormat.Json);
        Assert.Equal(toml.Problems, json.Problems);
        Assert.Equal(toml.Warnings, json.Warnings);
        Assert.Equal((toml as ConfigurationResult.Loaded)?.Options, (json as ConfigurationResult.Loaded)?.Options);
    }

    private sealed class Writer
    {
        private readonly StringBuilder _text = new();
        private int _line = 1;

        public void Write(ConfigurationNode node)
        {
            GoTo(node.Line);
            switch (node)
            {
                case ConfigurationNode.Table table:
                    Join('{', table.Entries, entry =>
                    {
                        GoTo(entry.Line);
                        Append(JsonSerializer.Serialize(entry.Key) + ":");
                        Write(entry.Value);
                    }, '}');
                    break;
                case ConfigurationNode.Sequence sequence:
                    Join('[', sequence.Items, Write, ']');
                    break;
                case ConfigurationNode.Text text:
                    Append(JsonSerializer.Serialize(text.Value));
                    break;
                case ConfigurationNode.Integer number:
                    Append(number.Value.ToString(CultureInfo.InvariantCulture));
                    break;
                case ConfigurationNode.Real { Value: var number } when double.IsFinite(number):
                    Append(number.ToString("0.0###############", CultureInfo.InvariantCulture));
                    break;
                case ConfigurationNode.Flag flag:
                    Append(flag.Value ? "true" : "false");
                    break;
                default:
                    Append("null");
                    break;
            }
        }

        public override string ToString() => _text.ToString();

        private void Join<T>(char open, IReadOnlyList<T> items, Action<T> write, char close)
        {
            Append(open.ToString());
            for (var i = 0; i < items.Count; i++)
            {
                Append(i > 0 ? "," : "");
                write(items[i]);
            }

            Append(close.ToString());
        }

        private void GoTo(int line)
        {
            for (; _line < line; _line++)
            {
                Append("\n");
            }
        }

        private void Append(string text) => _text.Append(text);
    }
}
