using System.Collections.Immutable;

namespace Sallyport.Server.Identity.Ldap;

/// <summary>An entry a search found.</summary>
/// <param name="Attributes">Names without regard to case.</param>
public sealed record LdapEntry(string Dn, IReadOnlyDictionary<string, ImmutableArray<string>> Attributes)
{
    public ImmutableArray<string> All(string attribute) => Attributes.TryGetValue(attribute, out var values) ? values : [];

    public string? First(string attribute) => All(attribute).FirstOrDefault();
}

/// <summary>What a search gave.</summary>
/// <param name="Entries">At most as many as were asked for.</param>
/// <param name="Referral">The server points elsewhere.</param>
internal sealed record LdapFound(ImmutableArray<LdapEntry> Entries, bool Referral);
