using System.Collections.Immutable;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>
/// What a Domino user typed: a plain name (address, common name, alias, short name), or a hierarchical one in any of its three
/// spellings: Jane Doe/Acme, CN=Jane Doe/O=Acme, CN=Jane Doe,O=Acme.
/// </summary>
/// <param name="Search">What to look for.</param>
/// <param name="Parts">Empty for a plain name; else what the entry found must be called.</param>
/// <param name="IsCanonical">Every part has its key.</param>
public sealed record DominoName(string Search, ImmutableArray<NamePart> Parts, bool IsCanonical)
{
    private const int PartsMax = 32;

    public bool IsHierarchical => !Parts.IsEmpty;

    public static DominoName Parse(string typed)
    {
        if (typed.Contains('@', StringComparison.Ordinal))
        {
            return Plain(typed);
        }

        var pieces = typed.Split('/', PartsMax + 1, StringSplitOptions.TrimEntries);
        if (pieces.Length is > 1 and <= PartsMax && pieces.All(piece => piece.Length > 0))
        {
            var parts = pieces.Select(DistinguishedName.ParsePart).ToList();
            return parts.TrueForAll(part => part is { Value.Length: > 0 })
                ? new DominoName(parts[0]!.Value.Value, [.. parts.Select(part => part!.Value)], true)
                : new DominoName(pieces[0], [.. pieces.Select(piece => new NamePart("", piece))], false);
        }

        return DistinguishedName.Parse(typed) is { IsEmpty: false } name && name.All(part => part.Value.Length > 0)
            ? name.Length == 1 ? Plain(name[0].Value) : new DominoName(name[0].Value, name, true)
            : Plain(typed);
    }

    /// <summary>Is this entry the one that was typed? A plain name was compared by the search.</summary>
    /// <param name="names">The further names it goes by: a value with slashes is an alias.</param>
    public bool Matches(string dn, IEnumerable<string> names) =>
        !IsHierarchical
        || (DistinguishedName.Parse(dn) is { } parts && Same(parts, IsCanonical))
        || names.Any(name => Parse(name) is { IsHierarchical: true } alias && Same(alias.Parts, IsCanonical && alias.IsCanonical));

    private static DominoName Plain(string typed) => new(typed, [], false);

    private bool Same(ImmutableArray<NamePart> other, bool withKeys) =>
        other.Length == Parts.Length && Parts.Zip(other).All(pair => withKeys ? pair.First.Is(pair.Second) : pair.First.HasValueOf(pair.Second));
}
