using System.Globalization;
using System.Text.RegularExpressions;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>What the answer to a bind means (RFC 4511 §4.2, appendix A.2), with what servers say besides the code.</summary>
/// <param name="Reason">None where the password is right, UnknownLogin where the server refers to another, which we do not follow.</param>
/// <param name="Detail">For the administrator: code and the server's own words.</param>
/// <param name="IsServer">No password was judged, and another server may do better.</param>
public sealed partial record BindResult(LoginReason Reason, string Detail, bool IsServer = false)
{
    /// <summary>Of the password policy draft (draft-behera-ldap-password-policy-10 §6.2).</summary>
    public const int PolicyNone = 65535;
    private const int PolicyExpired = 0;
    private const int PolicyLocked = 1;
    private const int PolicyMustChange = 2;

    /// <param name="code">The result code.</param>
    /// <param name="diagnostic">The server's diagnostic message.</param>
    /// <param name="policy">The error of the password policy control; <see cref="PolicyNone"/> without one.</param>
    public static BindResult Of(int code, string diagnostic, int policy)
    {
        var (reason, meaning) = (code, policy) switch
        {
            (0, PolicyMustChange) => (LoginReason.Expired, "right, and must be changed first (password policy)"),
            (0, _) => (LoginReason.None, "the password is right"),
            (49, PolicyLocked) => (LoginReason.Disabled, "the account is locked (password policy)"),
            (49, PolicyExpired) => (LoginReason.Expired, "the password has expired (password policy)"),
            (49, _) => OfActiveDirectory(diagnostic),
            (19 or 53, _) when IsLocked().IsMatch(diagnostic) => (LoginReason.Disabled, "the account is locked"),
            (32 or 34 or 48, _) => (LoginReason.WrongPassword, "nothing there has a password"),
            (10, _) => (LoginReason.UnknownLogin, "the server refers to another, which is not followed"),
            _ when IsServerError(code) => (LoginReason.DirectoryUnavailable, "the server cannot answer now"),
            _ => (LoginReason.DirectoryUnavailable, "the server refuses to judge it"),
        };
        var words = diagnostic.Trim().Length > 0 ? $": {diagnostic.Trim()}" : "";
        return new(reason, $"{meaning} (result {code.ToString(CultureInfo.InvariantCulture)}{words})", IsServerError(code));
    }

    private static bool IsServerError(int code) => code is 1 or 3 or 51 or 52 or 54 or 80;

    /// <summary>Active Directory says everything with 49 and tells it apart by a code in its message.</summary>
    private static (LoginReason Reason, string Meaning) OfActiveDirectory(string diagnostic) => DataCode().Match(diagnostic).Groups[1].Value switch
    {
        "533" => (LoginReason.Disabled, "the account is disabled"),
        "530" => (LoginReason.Disabled, "the account may not log in at this hour"),
        "531" => (LoginReason.Disabled, "the account may not log in from here"),
        "534" => (LoginReason.Disabled, "the account may not log in this way"),
        "775" => (LoginReason.Disabled, "the account is locked"),
        "532" => (LoginReason.Expired, "the password has expired"),
        "701" => (LoginReason.Expired, "the account has expired"),
        "773" => (LoginReason.Expired, "the password must be changed first"),
        "525" => (LoginReason.WrongPassword, "there is no such user"),
        _ => (LoginReason.WrongPassword, "the password is wrong"),
    };

    [GeneratedRegex(@"\bdata ([0-9a-f]{3,4})\b", RegexOptions.IgnoreCase)]
    private static partial Regex DataCode();

    [GeneratedRegex("inactivated|locked|retry limit", RegexOptions.IgnoreCase)]
    private static partial Regex IsLocked();
}
