using System.Security.Cryptography;
using System.Text;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>{MD5}, {SMD5}, {SHA}, {SSHA} and their longer relatives of LDAP servers and Dovecot: digest and, behind it, salt in base64.</summary>
internal static class SaltedShaPassword
{
    private static readonly Dictionary<string, (Func<byte[], byte[]> Digest, int Bytes, bool Salted)> Schemes = new(StringComparer.OrdinalIgnoreCase)
    {
#pragma warning disable CA5350, CA5351 // what sites have stored; replaced at the first login
        ["MD5"] = (MD5.HashData, MD5.HashSizeInBytes, false),
        ["SMD5"] = (MD5.HashData, MD5.HashSizeInBytes, true),
        ["SHA"] = (SHA1.HashData, SHA1.HashSizeInBytes, false),
        ["SSHA"] = (SHA1.HashData, SHA1.HashSizeInBytes, true),
#pragma warning restore CA5350, CA5351
        ["SHA256"] = (SHA256.HashData, SHA256.HashSizeInBytes, false),
        ["SSHA256"] = (SHA256.HashData, SHA256.HashSizeInBytes, true),
        ["SHA512"] = (SHA512.HashData, SHA512.HashSizeInBytes, false),
        ["SSHA512"] = (SHA512.HashData, SHA512.HashSizeInBytes, true),
    };

    public static PasswordHash? Parse(string text)
    {
        var end = text.IndexOf('}', StringComparison.Ordinal);
        if (end < 0 || text[0] != '{' || !Schemes.TryGetValue(text[1..end], out var scheme)
            || SaslServer.DecodeBase64(Encoding.UTF8.GetBytes(text[(end + 1)..])) is not { } octets
            || (scheme.Salted ? octets.Length <= scheme.Bytes : octets.Length != scheme.Bytes))
        {
            return null;
        }

        return new PasswordHash(text[..(end + 1)].ToUpperInvariant(), IsWeak: true, password => CryptographicOperations.FixedTimeEquals(
            scheme.Digest([.. Encoding.UTF8.GetBytes(password), .. octets.AsSpan(scheme.Bytes)]), octets.AsSpan(0, scheme.Bytes)));
    }
}
