using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Sallyport.Server.Configuration.Toml;

/// <summary>TOML as a tree, each key and value with its line.</summary>
internal static class TomlSource
{
    private static readonly TomlSerializerOptions Bounded = new() { MaxDepth = ConfigurationNode.DepthMax };

    /// <summary>Null when this is not TOML; where it begins to be none is reported, and nothing is read.</summary>
    public static ConfigurationNode.Table? Read(string text, Action<int, string, string> report)
    {
        if (Parse(text, report) is not { } document)
        {
            return null;
        }

        var top = new TableBuilder(1);
        Fill(top, document.KeyValues, report);
        foreach (var table in document.Tables)
        {
            AddTable(top, table, report);
        }

        return top.Build();
    }

    private static DocumentSyntax? Parse(string text, Action<int, string, string> report)
    {
        try
        {
            var document = SyntaxParser.Parse(text, Bounded, "", validate: false); // what is there twice we report ourselves, once
            if (document.Diagnostics.MinBy(diagnostic => diagnostic.Span.Start.Line) is not { } first)
            {
                return document;
            }

            report(first.Span.Start.Line + 1, "", "not TOML from here on: " + first.Message.TrimEnd('.'));
        }
        catch (TomlException)
        {
            report(0, "", $"lists and tables lie deeper in each other than {ConfigurationNode.DepthMax} levels: this is not a configuration");
        }
        catch (ArgumentException)
        {
            // Tomlyn writes a diagnostic about a character that is none, and fails at writing it.
            report(0, "", "not TOML: it has octets that are no text");
        }

        return null;
    }

    private static void AddTable(TableBuilder top, TableSyntaxBase syntax, Action<int, string, string> report)
    {
        string[] parts = [.. PartsOf(syntax.Name)];
        var line = syntax.Span.Start.Line + 1;
        if (parts.Length > ConfigurationNode.DepthMax)
        {
            report(line, parts[0], $"has more than {ConfigurationNode.DepthMax} names behind each other");
            return;
        }

        var above = top;
        foreach (var part in parts[..^1])
        {
            above = above.Enter(part, line);
        }

        Fill(syntax is TableArraySyntax ? above.Append(parts[^1], line) : above.Define(parts[^1], line), syntax.Items, report);
    }

    private static void Fill(TableBuilder table, IEnumerable<KeyValueSyntax> items, Action<int, string, string> report)
    {
        foreach (var item in items)
        {
            var line = item.Span.Start.Line + 1;
            if (item.Key?.DotKeys.ChildrenCount > 0)
            {
                var parts = PartsOf(item.Key).ToList();
                report(line, string.Join('.', parts), $"write it as a table: [{parts[0]}] and the key in a line below it");
                continue;
            }

            table.Add(PartsOf(item.Key).First(), ValueOf(item.Value, line), line);
        }
    }

    /// <summary>The parser has bounded the depth.</summary>
    private static ConfigurationNode ValueOf(SyntaxNode? value, int line)
    {
        line = value is null ? line : value.Span.Start.Line + 1;
        return value switch
        {
            StringValueSyntax text => new ConfigurationNode.Text(text.Value ?? "", line),
            IntegerValueSyntax number => new ConfigurationNode.Integer(number.Value, line),
            FloatValueSyntax number => new ConfigurationNode.Real(number.Value, line),
            BooleanValueSyntax flag => new ConfigurationNode.Flag(flag.Value, line),
            ArraySyntax array => new ConfigurationNode.Sequence([.. array.Items.Select(item => ValueOf(item.Value, line))], line),
            InlineTableSyntax table => new ConfigurationNode.Table(
                [
                    .. table.Items.Select(item => item.KeyValue).OfType<KeyValueSyntax>().Select(item => new ConfigurationEntry(
                        string.Join('.', PartsOf(item.Key)), ValueOf(item.Value, line), item.Span.Start.Line + 1)),
                ],
                line),
            _ => new ConfigurationNode.Other(line),
        };
    }

    private static IEnumerable<string> PartsOf(KeySyntax? key) =>
        [Part(key?.Key), .. (key?.DotKeys ?? Enumerable.Empty<DottedKeyItemSyntax>()).Select(dotted => Part(dotted.Key))];

    private static string Part(BareKeyOrStringValueSyntax? part) => part switch
    {
        BareKeySyntax bare => bare.Key?.Text ?? "",
        StringValueSyntax quoted => quoted.Value ?? "",
        _ => "",
    };
}
