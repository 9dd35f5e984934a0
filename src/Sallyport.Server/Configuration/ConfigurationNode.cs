using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

/// <summary>
/// A configuration as tables, lists and values, before anybody has asked what they mean. Every source makes the same tree,
/// and one set of rules reads it.
/// </summary>
/// <param name="Line">From 1, in the text it came from; 0 when it came from no text.</param>
public abstract record ConfigurationNode(int Line)
{
    /// <summary>Tables and lists inside each other. Four are in use; a source refuses what is deeper before it is read.</summary>
    public const int DepthMax = 16;

    /// <summary>Characters of a text that is read.</summary>
    public const int TextLengthMax = 1024 * 1024;

    /// <summary>A key may be there twice: which is a mistake that is told.</summary>
    public sealed record Table(ValueList<ConfigurationEntry> Entries, int Line) : ConfigurationNode(Line);

    public sealed record Sequence(ValueList<ConfigurationNode> Items, int Line) : ConfigurationNode(Line);

    public sealed record Text(string Value, int Line) : ConfigurationNode(Line);

    public sealed record Integer(long Value, int Line) : ConfigurationNode(Line);

    public sealed record Real(double Value, int Line) : ConfigurationNode(Line);

    public sealed record Flag(bool Value, int Line) : ConfigurationNode(Line);

    /// <summary>What no key takes: a date, null, a number beyond all.</summary>
    public sealed record Other(int Line) : ConfigurationNode(Line);
}

/// <summary>A key and what it is set to.</summary>
/// <param name="Line">Where the key is.</param>
public readonly record struct ConfigurationEntry(string Key, ConfigurationNode Value, int Line);
