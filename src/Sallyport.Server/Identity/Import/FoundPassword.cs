using System.Text.RegularExpressions;
using Sallyport.Server.Identity.Directories.Hashes;

namespace Sallyport.Server.Identity.Import;

/// <summary>What another system has stored as a password, told apart by its looks.</summary>
/// <param name="Form">For people; nothing of a secret is in it.</param>
internal abstract partial record FoundPassword(string Form)
{
    private static readonly HashSet<string> KnownSchemes = new(
        [
            "{CRYPT}", "{SHA}", "{SSHA}", "{SHA256}", "{SSHA256}", "{SHA384}", "{SSHA384}", "{SHA512}", "{SSHA512}", "{PBKDF2}", "{PBKDF2-SHA1}",
            "{PBKDF2-SHA256}", "{PBKDF2-SHA512}", "{PBKDF2_SHA256}", "{PBKDF2_SHA512}", "{SCRAM-SHA-1}", "{SCRAM-SHA-256}", "{BLF-CRYPT}",
            "{SHA256-CRYPT}", "{SHA512-CRYPT}", "{MD5-CRYPT}", "{DES-CRYPT}", "{MD5}", "{SMD5}", "{PLAIN-MD5}", "{LDAP-MD5}", "{CRAM-MD5}",
            "{DIGEST-MD5}", "{NTLM}", "{LANMAN}", "{NT}", "{ARGON2}", "{ARGON2I}", "{ARGON2ID}", "{SASL}", "{KERBEROS}", "{OTP}", "{RPA}", "{UNIX}",
        ], StringComparer.OrdinalIgnoreCase);

    /// <summary>The directory can check it.</summary>
    internal sealed record Hash(string Form, string Text, bool IsWeak) : FoundPassword(Form);

    /// <summary>The password itself.</summary>
    internal sealed record Plain(string Password) : FoundPassword("plain text")
    {
        public override string ToString() => Form;
    }

    /// <summary>Made such that no password fits: the account is shut.</summary>
    internal sealed record Locked() : FoundPassword("locked");

    internal sealed record Unknown(string Form) : FoundPassword(Form);

    /// <param name="domino">32 hex digits without brackets are a Domino hash; elsewhere they may be anything.</param>
    public static FoundPassword Of(string text, bool domino)
    {
        var trimmed = text.Trim();
        var scheme = Scheme().Match(trimmed) is { Success: true } match ? match.Value.ToUpperInvariant() : "";
        var bare = trimmed[scheme.Length..];
        if (scheme is "{PLAIN}" or "{CLEARTEXT}" or "{CLEAR}")
        {
            return new Plain(bare);
        }

        if (text.Any(char.IsControl))
        {
            return new Unknown("with a control character");
        }

        if (scheme is "" or "{CRYPT}" && LockedMark().IsMatch(bare))
        {
            return new Locked();
        }

        if (!domino && scheme.Length == 0 && bare.Length == 32 && bare.All(char.IsAsciiHexDigit))
        {
            return new Unknown("32 hex digits");
        }

        return PasswordHash.Parse(trimmed) is { } hash ? new Hash(hash.Form, trimmed, hash.IsWeak)
            : scheme.Length > 0 ? new Unknown(scheme is "{CRYPT}" ? CryptForm(bare) ?? "crypt (DES)"
                : KnownSchemes.Contains(scheme) ? scheme : "a scheme in braces")
            : CryptForm(bare) is { } form ? new Unknown(form)
            : DominoLike().IsMatch(bare) ? new Unknown("Domino, damaged")
            : new Plain(text);
    }

    /// <summary>Forms of crypt(3) we do not check, or damaged ones. Null for what begins otherwise.</summary>
    private static string? CryptForm(string bare) => Modular().Match(bare) is not { Success: true } match ? null : match.Groups[1].Value switch
    {
        "1" => "crypt (MD5)",
        "2a" or "2b" or "2x" or "2y" => "bcrypt, damaged",
        "5" or "6" => "SHA crypt, damaged",
        "7" or "scrypt" => "scrypt",
        "y" or "gy" => "yescrypt",
        "argon2i" or "argon2d" or "argon2id" => "Argon2",
        "pbkdf2" or "pbkdf2-sha256" or "pbkdf2-sha512" => "PBKDF2, damaged",
        _ => "another form of crypt",
    };

    [GeneratedRegex(@"^\{[A-Za-z0-9][A-Za-z0-9._-]{1,19}\}")]
    private static partial Regex Scheme();

    [GeneratedRegex(@"^([!*]{1,2}|[!*]{1,2}\$.*|[!*]LK[!*].*)$")]
    private static partial Regex LockedMark();

    [GeneratedRegex(@"^\$([A-Za-z0-9-]{1,16})\$.")]
    private static partial Regex Modular();

    [GeneratedRegex(@"^\(([GH][A-Za-z0-9+/]{15,}|[0-9A-Fa-f]{28,})\)$")]
    private static partial Regex DominoLike();
}
