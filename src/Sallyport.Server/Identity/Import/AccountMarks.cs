using System.Collections.Immutable;
using Sallyport.Server.Identity.Directories.Ldap;

namespace Sallyport.Server.Identity.Import;

/// <summary>What entries say of an account besides its password.</summary>
internal static class AccountMarks
{
    private static readonly HashSet<string> Persons = new(
        ["person", "inetorgperson", "organizationalperson", "dominoperson", "user", "posixaccount", "account", "shadowaccount", "mailuser"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>Marks of directories, and columns "disabled" and "enabled" of a table.</summary>
    public static readonly ImmutableArray<string> Fields =
    [
        "objectclass", .. AccountState.Attributes.Select(name => name.ToLowerInvariant()), "logindisabled", "disabled", "enabled",
    ];

    /// <summary>Null when it may log in; else why not.</summary>
    public static string? WhyDisabled(ImportRecord.Entry entry, DateTimeOffset now)
    {
        var attributes = entry.Values.ToDictionary(pair => pair.Key, pair => pair.Value.ToImmutableArray(), StringComparer.OrdinalIgnoreCase);
        return AccountState.Of(new LdapEntry("", attributes), now)?.Detail
            ?? (IsYes(entry, "logindisabled") ? "disabled (loginDisabled)" : null)
            ?? (IsYes(entry, "disabled") ? "disabled" : null)
            ?? (entry.All("enabled") is [{ } enabled, ..] && enabled.Trim().ToLowerInvariant() is "false" or "no" or "0" ? "not enabled" : null);
    }

    /// <summary>False for a group, a unit, a printer: nobody misses its password.</summary>
    public static bool MayBePerson(ImportRecord.Entry entry) =>
        entry.All("objectclass") is var classes && (classes.IsEmpty || classes.Any(Persons.Contains));

    private static bool IsYes(ImportRecord.Entry entry, string field) =>
        entry.All(field) is [{ } value, ..] && value.Trim().ToLowerInvariant() is "true" or "yes" or "1";
}
