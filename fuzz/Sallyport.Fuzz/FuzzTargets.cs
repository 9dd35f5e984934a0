using System.Runtime.CompilerServices;
using Sallyport.Fuzz.Targets;

namespace Sallyport.Fuzz;

/// <summary>All that reads octets of others, by name.</summary>
public static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("command", CommandTarget.Fuzz),
        new("path", PathTarget.Fuzz),
        new("header", HeaderTarget.Fuzz),
        new("content", ContentTarget.Fuzz),
        new("sasl", SaslTarget.Fuzz),
        new("reply", ReplyTarget.Fuzz),
        new("session", SessionTarget.Fuzz),
        new("configuration", ConfigurationTarget.Fuzz),
        new("import", ImportTarget.Fuzz),
        new("report", ReportTarget.Fuzz),
    ];

    /// <summary>The files of a target's corpus in the source tree.</summary>
    public static IReadOnlyList<string> Corpus(string name) =>
        [.. Directory.EnumerateFiles(Path.Combine(CorpusRoot, name)).Order(StringComparer.Ordinal)];

    public static string CorpusRoot { get; } = FindCorpus();

    private static string FindCorpus([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "corpus"));
}
