using System.Collections.Immutable;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>An entry a search found.</summary>
/// <param name="Attributes">Names without regard to case.</param>
public sealed record LdapEntry(string Dn, IReadOnlyDictionary<string, ImmutableArray<string>> Attributes)
{
    public ImmutableArray<string> All(string attribute) => Attributes.TryGetValue(attribute, out var values) ? values : [];

    public string? First(string attribute) => All(attribute).FirstOrDefault();
}

/// <summary>What a search gave.</summary>
/// <param name="Entries">At most as many as were asked for.</param>
/// <param name="IsReferral">The whole answer is that another server is to be asked.</param>
/// <param name="HasMore">The server names others that may know more.</param>
internal sealed record LdapFound(ImmutableArray<LdapEntry> Entries, bool IsReferral = false, bool HasMore = false);
