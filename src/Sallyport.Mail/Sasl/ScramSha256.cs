using System.Security.Cryptography;
using System.Text;

namespace Sallyport.Mail.Sasl;

/// <summary>The sums of SCRAM-SHA-256 (RFC 5802 §3, RFC 7677), both sides.</summary>
public static class ScramSha256
{
    public const int HashBytes = 32;

    /// <summary>PBKDF2: the slow part. Runs as long as <paramref name="iterations"/> says.</summary>
    public static byte[] SaltedPassword(string password, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, HashBytes);

    public static ScramVerifier Verifier(ReadOnlySpan<byte> saltedPassword, ReadOnlyMemory<byte> salt, int iterations) =>
        new(iterations, salt, SHA256.HashData(ClientKey(saltedPassword)), ServerKey(saltedPassword));

    /// <summary>Is this the password the verifier was made from? In constant time.</summary>
    public static bool Matches(ScramVerifier verifier, ReadOnlySpan<byte> saltedPassword) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(ClientKey(saltedPassword)), verifier.StoredKey.Span);

    public static byte[] ClientKey(ReadOnlySpan<byte> saltedPassword) => HMACSHA256.HashData(saltedPassword, "Client Key"u8);

    public static byte[] ServerKey(ReadOnlySpan<byte> saltedPassword) => HMACSHA256.HashData(saltedPassword, "Server Key"u8);

    public static byte[] Sign(ReadOnlySpan<byte> key, string authMessage) =>
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(authMessage));

    /// <summary>A ⊕ B, of equal length.</summary>
    public static byte[] Xor(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var result = new byte[a.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = (byte)(a[i] ^ b[i]);
        }

        return result;
    }
}
