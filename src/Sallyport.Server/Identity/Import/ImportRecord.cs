using System.Collections.Immutable;

namespace Sallyport.Server.Identity.Import;

/// <summary>What a reader found next in a file of another system.</summary>
/// <param name="Line">Where it begins; the first line is 1.</param>
internal abstract record ImportRecord(int Line)
{
    /// <param name="Name">As the file calls it: its DN, or its row.</param>
    /// <param name="Values">Of the fields that were asked for, by their names in lower case.</param>
    internal sealed record Entry(int Line, string Name, IReadOnlyDictionary<string, List<string>> Values) : ImportRecord(Line)
    {
        public ImmutableArray<string> All(string field) => Values.TryGetValue(field, out var values) ? [.. values] : [];
    }

    /// <summary>An entry that cannot be read; the next one may.</summary>
    /// <param name="Why">No secret is in it.</param>
    internal sealed record Mistake(int Line, string Why) : ImportRecord(Line);

    /// <summary>The file as a whole is not what it should be; nothing follows.</summary>
    internal sealed record Refused(int Line, string Why) : ImportRecord(Line);
}

/// <summary>Bounds of the readers: what is longer costs its entry, never the memory.</summary>
internal static class ImportLimits
{
    /// <summary>Of one field, name and value; DNs of large groups are shorter by far, photos are not asked for.</summary>
    public const int FieldBytesMax = 64 * 1024;

    /// <summary>Values kept of an entry, in all.</summary>
    public const int ValuesMax = 2000;

    public const int ColumnsMax = 1000;

    public const int BufferBytes = 64 * 1024;
}
