using System.Globalization;
using System.Text.RegularExpressions;

namespace Sallyport.Server.Identity.Ldap;

public enum BindOutcome
{
    Right,
    Wrong,
    Disabled,

    /// <summary>Right and too old, or it must be changed first.</summary>
    Expired,

    /// <summary>The answer is to be sought elsewhere, which we do not: the login is not known here.</summary>
    Referred,

    /// <summary>No password was judged. Another server may do better.</summary>
    ServerTrouble,

    /// <summary>No password was judged, and none will be as we are configured.</summary>
    Refused,
}

/// <summary>What the answer to a bind means (RFC 4511 §4.2, appendix A.2), with what servers say besides the code.</summary>
/// <param name="Detail">For the administrator: code and the server's own words.</param>
public sealed partial record BindVerdict(BindOutcome Outcome, string Detail)
{
    /// <summary>Of the password policy draft (draft-behera-ldap-password-policy-10 §6.2).</summary>
    public const int PolicyNone = 65535;
    private const int PolicyExpired = 0;
    private const int PolicyLocked = 1;
    private const int PolicyMustChange = 2;

    /// <param name="code">The result code.</param>
    /// <param name="diagnostic">The server's diagnostic message.</param>
    /// <param name="policy">The error of the password policy control; <see cref="PolicyNone"/> without one.</param>
    public static BindVerdict Of(int code, string diagnostic, int policy)
    {
        var (outcome, meaning) = (code, policy) switch
        {
            (0, PolicyMustChange) => (BindOutcome.Expired, "right, and must be changed first (password policy)"),
            (0, _) => (BindOutcome.Right, "the password is right"),
            (49, PolicyLocked) => (BindOutcome.Disabled, "the account is locked (password policy)"),
            (49, PolicyExpired) => (BindOutcome.Expired, "the password has expired (password policy)"),
            (49, _) => OfActiveDirectory(diagnostic),
            (19 or 53, _) when IsLocked().IsMatch(diagnostic) => (BindOutcome.Disabled, "the account is locked"),
            (32 or 34 or 48, _) => (BindOutcome.Wrong, "nothing there has a password"),
            (10, _) => (BindOutcome.Referred, "the server refers to another, which is not followed"),
            (1 or 3 or 51 or 52 or 54 or 80, _) => (BindOutcome.ServerTrouble, "the server cannot answer now"),
            _ => (BindOutcome.Refused, "the server refuses to judge it"),
        };
        var words = diagnostic.Trim().Length > 0 ? $": {diagnostic.Trim()}" : "";
        return new(outcome, $"{meaning} (result {code.ToString(CultureInfo.InvariantCulture)}{words})");
    }

    /// <summary>Active Directory says everything with 49 and tells it apart by a code in its message.</summary>
    private static (BindOutcome Outcome, string Meaning) OfActiveDirectory(string diagnostic) => DataCode().Match(diagnostic).Groups[1].Value switch
    {
        "533" => (BindOutcome.Disabled, "the account is disabled"),
        "530" => (BindOutcome.Disabled, "the account may not log in at this hour"),
        "531" => (BindOutcome.Disabled, "the account may not log in from here"),
        "534" => (BindOutcome.Disabled, "the account may not log in this way"),
        "775" => (BindOutcome.Disabled, "the account is locked"),
        "532" => (BindOutcome.Expired, "the password has expired"),
        "701" => (BindOutcome.Expired, "the account has expired"),
        "773" => (BindOutcome.Expired, "the password must be changed first"),
        "525" => (BindOutcome.Wrong, "there is no such user"),
        _ => (BindOutcome.Wrong, "the password is wrong"),
    };

    [GeneratedRegex(@"\bdata ([0-9a-f]{3,4})\b", RegexOptions.IgnoreCase)]
    private static partial Regex DataCode();

    [GeneratedRegex("inactivated|locked|retry limit", RegexOptions.IgnoreCase)]
    private static partial Regex IsLocked();
}
