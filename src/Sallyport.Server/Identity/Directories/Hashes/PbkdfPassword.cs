using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>
/// PBKDF2 as others write it: OpenLDAP's {PBKDF2-SHA256}, passlib's $pbkdf2-sha256$, Django's pbkdf2_sha256$, Dovecot's {PBKDF2}; and
/// SCRAM-SHA-256 as Dovecot and PostgreSQL keep it.
/// </summary>
internal static class PbkdfPassword
{
    private const int IterationsMax = 10_000_000;
    private const int IterationsStrong = 100_000;
    private const int KeyBytesMax = 128;

    public static PasswordHash? Parse(string text) =>
        text.StartsWith("{PBKDF2}$1$", StringComparison.OrdinalIgnoreCase) ? Dovecot(text["{PBKDF2}$1$".Length..])
        : text.StartsWith("{PBKDF2", StringComparison.OrdinalIgnoreCase) ? Adapted(text[1..].Replace('}', '$'))
        : text.StartsWith("$pbkdf2", StringComparison.Ordinal) ? Adapted(text[1..])
        : text.StartsWith("pbkdf2_sha", StringComparison.Ordinal) ? Django(text)
        : text.StartsWith("{SCRAM-SHA-256}", StringComparison.OrdinalIgnoreCase) ? Scram(text["{SCRAM-SHA-256}".Length..].Split(','))
        : text.StartsWith("SCRAM-SHA-256$", StringComparison.Ordinal) ? Scram(text["SCRAM-SHA-256$".Length..].Split(':', '$'))
        : null;

    /// <summary>name$rounds$salt$key with passlib's base64 (no padding, "." for "+").</summary>
    private static PasswordHash? Adapted(string text)
    {
        var parts = text.Split('$');
        return parts is [var name, var rounds, var salt, var key] && Unpad(salt) is { } saltOctets && Unpad(key) is { } keyOctets
            ? Make(AlgorithmOf(name), rounds, saltOctets, keyOctets) : null;
    }

    /// <summary>pbkdf2_sha256$rounds$salt as text$key in base64.</summary>
    private static PasswordHash? Django(string text)
    {
        var parts = text.Split('$');
        return parts is [var name, var rounds, var salt, var key] && SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(key)) is { } octets
            ? Make(AlgorithmOf(name), rounds, Encoding.UTF8.GetBytes(salt), octets) : null;
    }

    /// <summary>salt as text$rounds$key in hex, SHA-1.</summary>
    private static PasswordHash? Dovecot(string text)
    {
        var parts = text.Split('$');
        return parts is [var salt, var rounds, var key] && key.Length is > 0 and <= 2 * KeyBytesMax && key.Length % 2 == 0
            && key.All(char.IsAsciiHexDigit)
            ? Make(HashAlgorithmName.SHA1, rounds, Encoding.UTF8.GetBytes(salt), Convert.FromHexString(key)) : null;
    }

    private static PasswordHash? Scram(string[] parts)
    {
        if (parts is not [var rounds, var salt, var stored, var server] || Rounds(rounds) is not { } iterations
            || SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(salt)) is not { Length: > 0 } saltOctets
            || SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(stored)) is not { Length: ScramSha256.HashBytes } storedKey
            || SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(server)) is not { Length: ScramSha256.HashBytes } serverKey)
        {
            return null;
        }

        var verifier = new ScramVerifier(iterations, saltOctets, storedKey, serverKey);
        return new PasswordHash("SCRAM-SHA-256", iterations < IterationsStrong,
            password => ScramSha256.Matches(verifier, ScramSha256.SaltedPassword(password, saltOctets, iterations)));
    }

    private static PasswordHash? Make(HashAlgorithmName? algorithm, string rounds, byte[] salt, byte[] key) =>
        algorithm is { } known && Rounds(rounds) is { } iterations && salt.Length > 0 && key.Length is >= 8 and <= KeyBytesMax
            ? new PasswordHash("PBKDF2", iterations < IterationsStrong, password => CryptographicOperations.FixedTimeEquals(
                Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, known, key.Length), key))
            : null;

    private static int? Rounds(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds is >= 1 and <= IterationsMax ? rounds : null;

    private static HashAlgorithmName? AlgorithmOf(string name) => name.ToUpperInvariant() switch
    {
        "PBKDF2" or "PBKDF2-SHA1" => HashAlgorithmName.SHA1,
        "PBKDF2-SHA256" or "PBKDF2_SHA256" => HashAlgorithmName.SHA256,
        "PBKDF2-SHA512" or "PBKDF2_SHA512" => HashAlgorithmName.SHA512,
        _ => null,
    };

    private static byte[]? Unpad(string text)
    {
        var standard = text.Replace('.', '+');
        return SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(standard.PadRight((standard.Length + 3) / 4 * 4, '=')));
    }
}
