using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sallyport.Server.Identity.Directories.Hashes;

/// <summary>
/// crypt(3): $5$ and $6$ (SHA-crypt, akkadia.org/drepper/SHA-crypt.txt) and $2a$, $2b$, $2y$ (bcrypt); also behind {CRYPT} and Dovecot's
/// names.
/// </summary>
internal static class CryptPassword
{
    private const string Digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RoundsDefault = 5000;
    private const int RoundsMin = 1000;
    private const int RoundsMax = 5_000_000;
    private const int SaltCharactersMax = 16;
    private const int BcryptCharacters = 60;
    private const int BcryptCostMax = 17;
    private static readonly string[] Names = ["{CRYPT}", "{BLF-CRYPT}", "{SHA256-CRYPT}", "{SHA512-CRYPT}"];

    // The order in which the octets of the digest are written, three at a time, the least significant first; the last group is shorter.
    private static readonly int[] Order256 =
        [20, 10, 0, 11, 1, 21, 2, 22, 12, 23, 13, 3, 14, 4, 24, 5, 25, 15, 26, 16, 6, 17, 7, 27, 8, 28, 18, 29, 19, 9, 30, 31];

    private static readonly int[] Order512 =
    [
        42, 21, 0, 1, 43, 22, 23, 2, 44, 45, 24, 3, 4, 46, 25, 26, 5, 47, 48, 27, 6, 7, 49, 28, 29, 8, 50, 51, 30, 9, 10, 52, 31,
        32, 11, 53, 54, 33, 12, 13, 55, 34, 35, 14, 56, 57, 36, 15, 16, 58, 37, 38, 17, 59, 60, 39, 18, 19, 61, 40, 41, 20, 62, 63,
    ];

    public static PasswordHash? Parse(string text)
    {
        var name = Array.Find(Names, name => text.StartsWith(name, StringComparison.OrdinalIgnoreCase));
        var bare = text[(name?.Length ?? 0)..];
        return bare.Length < 4 ? null : bare[..3] switch
        {
            "$5$" => Sha(bare, "SHA-256 crypt", SHA256.HashData, Order256),
            "$6$" => Sha(bare, "SHA-512 crypt", SHA512.HashData, Order512),
            "$2a" or "$2b" or "$2y" => Bcrypt(bare),
            _ => null,
        };
    }

    private static PasswordHash? Bcrypt(string text) =>
        text.Length == BcryptCharacters && text[3] == '$' && text[6] == '$'
        && int.TryParse(text.AsSpan(4, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var cost) && cost is >= 4 and <= BcryptCostMax
        && text[7..].All(character => Digits.Contains(character, StringComparison.Ordinal))
            ? new PasswordHash("bcrypt", IsWeak: cost < 8, password => BCrypt.Net.BCrypt.Verify(password, text))
            : null;

    /// <summary>$id$[rounds=N$]salt$hash</summary>
    private static PasswordHash? Sha(string text, string form, Func<byte[], byte[]> digest, int[] order)
    {
        var parts = text.Split('$');
        var rounds = RoundsDefault;
        var explicitly = parts.Length == 5 && parts[2].StartsWith("rounds=", StringComparison.Ordinal);
        if (parts.Length != (explicitly ? 5 : 4)
            || (explicitly && (!int.TryParse(parts[2].AsSpan(7), NumberStyles.None, CultureInfo.InvariantCulture, out rounds)
                || rounds is < RoundsMin or > RoundsMax))
            || parts[^2].Length > SaltCharactersMax || parts[^1].Length != ((order.Length * 8) + 5) / 6)
        {
            return null;
        }

        return new PasswordHash(form, IsWeak: rounds < RoundsDefault, password => CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(ShaCrypt(Encoding.UTF8.GetBytes(password), Encoding.UTF8.GetBytes(parts[^2]), rounds, digest, order)),
            Encoding.ASCII.GetBytes(parts[^1])));
    }

    private static string ShaCrypt(byte[] key, byte[] salt, int rounds, Func<byte[], byte[]> digest, int[] order)
    {
        var b = digest([.. key, .. salt, .. key]);
        var a = new List<byte>([.. key, .. salt, .. Repeated(b, key.Length)]);
        for (var n = key.Length; n > 0; n >>= 1)
        {
            a.AddRange((n & 1) != 0 ? b : key);
        }

        var last = digest([.. a]);
        var p = Repeated(digest([.. Enumerable.Repeat(key, key.Length).SelectMany(x => x)]), key.Length);
        var s = Repeated(digest([.. Enumerable.Repeat(salt, 16 + last[0]).SelectMany(x => x)]), salt.Length);
        for (var round = 0; round < rounds; round++)
        {
            var odd = round % 2 != 0;
            last = digest(
            [
                .. odd ? p : last,
                .. round % 3 != 0 ? s : [],
                .. round % 7 != 0 ? p : [],
                .. odd ? last : p,
            ]);
        }

        return Encode(last, order);
    }

    private static byte[] Repeated(byte[] octets, int length)
    {
        var result = new byte[length];
        for (var i = 0; i < length; i++)
        {
            result[i] = octets[i % octets.Length];
        }

        return result;
    }

    /// <summary>Three octets make four digits, the least significant first.</summary>
    private static string Encode(byte[] octets, int[] order)
    {
        var text = new StringBuilder();
        for (var i = 0; i < order.Length; i += 3)
        {
            var group = order[i..Math.Min(order.Length, i + 3)];
            var value = group.Length switch
            {
                3 => (octets[group[2]] << 16) | (octets[group[1]] << 8) | octets[group[0]],
                2 => (octets[group[1]] << 8) | octets[group[0]],
                _ => octets[group[0]],
            };
            for (var digit = 0; digit <= group.Length; digit++, value >>= 6)
            {
                text.Append(Digits[value & 63]);
            }
        }

        return text.ToString();
    }
}
