using System.Globalization;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>What an entry says about its account without a bind.</summary>
public static class AccountState
{
    private const long DisabledBit = 2;
    private const long LockedBit = 0x10;
    private const long PasswordExpiredBit = 0x800000;

    /// <summary>Asked for by name: most are operational.</summary>
    public static readonly string[] Attributes =
    [
        "userAccountControl", "msDS-User-Account-Control-Computed", "accountExpires", "pwdLastSet", "pwdAccountLockedTime", "pwdReset",
        "nsAccountLock",
    ];

    /// <summary>Null when nothing speaks against the login. Right for whoever is looked up without a password.</summary>
    public static BindResult? Of(LdapEntry entry, DateTimeOffset now) => OfGood(entry, now)
        ?? (entry.First("pwdAccountLockedTime") is not null ? new BindResult(LoginReason.Disabled, "locked (pwdAccountLockedTime)") : null)
        ?? ((Number(entry, "msDS-User-Account-Control-Computed") & LockedBit) != 0 ? new BindResult(LoginReason.Disabled, "locked") : null)
        ?? ((Number(entry, "msDS-User-Account-Control-Computed") & PasswordExpiredBit) != 0
            ? new BindResult(LoginReason.Expired, "the password has expired") : null);

    /// <summary>The same for a login whose password was just found right: a lock that has passed is no lock.</summary>
    public static BindResult? OfGood(LdapEntry entry, DateTimeOffset now) =>
        (Number(entry, "userAccountControl") & DisabledBit) != 0 ? new(LoginReason.Disabled, "disabled (userAccountControl)")
        : string.Equals(entry.First("nsAccountLock"), "true", StringComparison.OrdinalIgnoreCase)
            ? new(LoginReason.Disabled, "locked (nsAccountLock)")
        : IsOver(Number(entry, "accountExpires"), now) ? new(LoginReason.Expired, "the account has expired (accountExpires)")
        : entry.First("pwdLastSet") == "0" ? new(LoginReason.Expired, "the password must be changed first (pwdLastSet)")
        : string.Equals(entry.First("pwdReset"), "true", StringComparison.OrdinalIgnoreCase)
            ? new(LoginReason.Expired, "the password must be changed first (pwdReset)")
        : null;

    /// <summary>A Windows file time; 0 and the largest number mean never.</summary>
    private static bool IsOver(long fileTime, DateTimeOffset now) => fileTime > 0 && fileTime < now.ToFileTime();

    private static long Number(LdapEntry entry, string attribute) =>
        long.TryParse(entry.First(attribute), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
