using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>
/// Domino's three forms of an Internet password (field HTTPPassword): "(32 hex digits)" of R5, "(G…)" since 4.6, "(H…)" since 8.0.1.
/// </summary>
internal static class DominoPassword
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";
    private const int OldCharacters = 32;
    private const int SaltedCharacters = 22;
    private const int StrongCharacters = 51;
    private const int SaltedSaltBytes = 5;
    private const int SaltedHashedBytes = 34;
    private const int SaltedDigestBytes = 10;
    private const int StrongSaltBytes = 16;
    private const int StrongKeyBytes = 8;
    private const int StrongIterationsMax = 1_000_000;

    public static PasswordHash? Parse(string text)
    {
        var bare = text.StartsWith('(') && text.EndsWith(')') ? text[1..^1] : text;
        if (bare.Length == OldCharacters && bare.All(char.IsAsciiHexDigit))
        {
            return new PasswordHash("Domino R5", IsWeak: true, password => Same(Old(password), $"({bare.ToUpperInvariant()})"));
        }

        if (text.Length == SaltedCharacters && text.StartsWith("(G", StringComparison.Ordinal) && Decode(text[2..^1] + "0") is { } packed)
        {
            return new PasswordHash("Domino 4.6", IsWeak: true, password => Same(Salted(password, packed.AsSpan(0, SaltedSaltBytes)), text));
        }

        return text.Length == StrongCharacters && text.StartsWith("(H", StringComparison.Ordinal) && Decode(text[2..^1]) is { } strong
            ? ParseStrong(strong) : null;
    }

    private static PasswordHash? ParseStrong(byte[] packed)
    {
        var count = Encoding.ASCII.GetString(packed, StrongSaltBytes, 10);
        return int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            && iterations is >= 1 and <= StrongIterationsMax
            ? new PasswordHash("Domino 8.0.1", IsWeak: false, password => CryptographicOperations.FixedTimeEquals(
                StrongKey(password, packed.AsSpan(0, StrongSaltBytes), iterations), packed.AsSpan(packed.Length - StrongKeyBytes)))
            : null;
    }

    private static string Old(string password) => $"({Convert.ToHexString(DominoDigest.Of(password))})";

    private static string Salted(string password, ReadOnlySpan<byte> salt)
    {
        byte[] hashed = [.. salt, .. Encoding.ASCII.GetBytes(Old(password))];
        byte[] packed = [.. salt, .. DominoDigest.Of(hashed.AsSpan(0, SaltedHashedBytes)).AsSpan(0, SaltedDigestBytes)];
        packed[3] += 4;
        return "(G" + Encode(packed)[..^1] + ")";
    }

    private static byte[] StrongKey(string password, ReadOnlySpan<byte> salt, int iterations) => Rfc2898DeriveBytes.Pbkdf2(
        Encoding.ASCII.GetBytes(Salted(password, salt[..SaltedSaltBytes])), salt, iterations,
#pragma warning disable CA5379 // Domino's choice, not ours
        HashAlgorithmName.SHA1,
#pragma warning restore CA5379
        StrongKeyBytes);

    private static string Encode(ReadOnlySpan<byte> octets)
    {
        var text = new StringBuilder();
        for (var i = 0; i < octets.Length; i += 3)
        {
            var group = (octets[i] << 16) | (octets[i + 1] << 8) | octets[i + 2];
            for (var shift = 18; shift >= 0; shift -= 6)
            {
                text.Append(Digits[(group >> shift) & 63]);
            }
        }

        return text.ToString();
    }

    /// <summary>The packed octets, byte 3 put right; null for a foreign character.</summary>
    private static byte[]? Decode(string text)
    {
        var octets = new List<byte>();
        for (var i = 0; i + 4 <= text.Length; i += 4)
        {
            var group = 0;
            foreach (var character in text.AsSpan(i, 4))
            {
                var digit = Digits.IndexOf(character, StringComparison.Ordinal);
                if (digit < 0)
                {
                    return null;
                }

                group = (group << 6) | digit;
            }

            octets.AddRange((byte)(group >> 16), (byte)(group >> 8), (byte)group);
        }

        var packed = octets.ToArray();
        packed[3] -= 4;
        return packed;
    }

    private static bool Same(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(a), Encoding.ASCII.GetBytes(b));
}
