using System.Collections.Immutable;
using System.DirectoryServices.Protocols;
using Sallyport.Mail.Addressing;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>What is asked about a login, and what of the answer counts: one entry, its addresses, its groups.</summary>
internal sealed class LdapLookup(LdapDirectoryOptions options)
{
    private const string NameAttribute = "cn";
    private const string DnItself = "dn";
    private const int GroupsMax = 1000;

    // People of the same common name in several organisations: all are looked at.
    private const int NamesakesMax = 50;

    private readonly SearchScope _scope = options.Scope == LdapScope.OneLevel ? SearchScope.OneLevel : SearchScope.Subtree;

    private readonly string[] _attributes =
    [
        .. options.AddressAttributes.Concat(options.LoginAttributes.Where(name => name != DnItself))
            .Concat(options.GroupAttribute is { } group ? [group] : []).Append(NameAttribute).Concat(AccountState.Attributes)
            .Distinct(StringComparer.OrdinalIgnoreCase),
    ];

    /// <summary>The one entry of this login, or none and, where it is more than that nobody has the name, why.</summary>
    public (LdapEntry? Entry, string Why) Find(LdapLink link, string login, LdapQuestion question, LdapDeadline deadline)
    {
        var name = options.Preset == LdapPreset.Domino ? DominoName.Parse(login) : new DominoName(login, [], false);
        var filter = FilterOf(name, login);
        var found = link.Search(options.Base, _scope, filter, _attributes, name.IsHierarchical ? NamesakesMax : 2, deadline);
        ImmutableArray<LdapEntry> entries = [.. found.Entries.Where(entry => name.Matches(entry.Dn, entry.All(NameAttribute)))];
        var (entry, outcome, detail, why) = entries switch
        {
            [var one] => (one, "ok", $"found {one.Dn}", ""),
            [] when found.IsReferral => (null, "next", "refers to another server, which is not asked", "a referral, which is not followed"),
            [] => ((LdapEntry?)null, "next", "found nobody" + (found.HasMore ? "; further servers it names are not asked" : ""), ""),
            [var first, var second, ..] =>
                (null, "next", $"found more than one entry: {first.Dn} and {second.Dn}", "more than one entry has this name"),
        };
        question.Tell($"search {Where()}", outcome, $"{filter} at {link.Server}: {detail}");
        return (entry, why.Length > 0 ? $"{login}: {why} ({filter})" : "");
    }

    public bool NeedsGroupSearch(LdapEntry entry) => options.GroupFilter is not null && GroupsOf(entry).IsEmpty;

    public ImmutableArray<string> GroupsOf(LdapEntry entry) =>
        options.GroupAttribute is { } attribute ? [.. entry.All(attribute).Select(ToGroup).Distinct(StringComparer.OrdinalIgnoreCase)] : [];

    /// <summary>The groups its attribute names; where it has none, those that list it.</summary>
    public ImmutableArray<string> FindGroups(LdapLink link, LdapEntry entry, string login, LdapQuestion question, LdapDeadline deadline)
    {
        if (!NeedsGroupSearch(entry))
        {
            return GroupsOf(entry);
        }

        var filter = LdapFilter.Fill(options.GroupFilter!, (DnItself, entry.Dn), ("login", CanonicalOf(entry, login)));
        var found = link.Search(options.Base, SearchScope.Subtree, filter, [NameAttribute], GroupsMax, deadline);
        question.Tell("search for groups", "ok", $"{filter}: {found.Entries.Length} found");
        return [.. found.Entries.Select(group => ToGroup(group.Dn)).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    public DirectoryEntry ToEntry(LdapEntry entry, string login, ImmutableArray<string> groups) =>
        new(CanonicalOf(entry, login), options.Name, ToAddresses(options.AddressAttributes.SelectMany(attribute => entry.All(attribute))), groups);

    /// <summary>Those that are mail addresses, in canonical form. Of Active Directory's proxyAddresses the SMTP ones.</summary>
    public static ImmutableArray<string> ToAddresses(IEnumerable<string> values)
    {
        const string Smtp = "smtp:";
        return
        [
            .. values.Select(value => value.StartsWith(Smtp, StringComparison.OrdinalIgnoreCase) ? value[Smtp.Length..] : value)
                .Select(value => MailboxParser.TryParse(value.Trim(), out var mailbox) ? mailbox!.Canonical : null)
                .OfType<string>().Distinct(StringComparer.Ordinal),
        ];
    }

    /// <summary>A flat group by its bare name, as Domino calls it; one in a tree by its whole name, since only that is unique.</summary>
    public static string ToGroup(string name) => DistinguishedName.Parse(name) is [var only] ? only.Value : name;

    /// <summary>The filter that is sent for a login.</summary>
    public string FilterOf(DominoName name, string login)
    {
        var first = LdapFilter.Fill(options.UserFilter, ("login", name.Search));
        return name.IsHierarchical ? $"(|{first}{LdapFilter.Fill(options.UserFilter, ("login", login))})" : first;
    }

    private string CanonicalOf(LdapEntry entry, string login)
    {
        foreach (var attribute in options.LoginAttributes)
        {
            var value = attribute != DnItself ? entry.First(attribute)
                : options.Preset == LdapPreset.Domino ? DistinguishedName.ToDomino(entry.Dn) : entry.Dn;
            if (!string.IsNullOrWhiteSpace(value))
            {
                return value;
            }
        }

        return login;
    }

    private string Where() => options.Base.Length > 0 ? $"below {options.Base}" : "from the root";
}
