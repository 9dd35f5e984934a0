using System.Security.Cryptography;
using System.Text;

namespace Sallyport.Server.Identity.AppPasswords;

/// <summary>
/// How an app password looks: 20 drawn characters of Crockford's base 32 (100 bits) and four that follow from them, in groups of four.
/// By the four it is known as one of ours before anybody is asked, also when it was revoked long ago.
/// </summary>
public static class AppPasswordText
{
    /// <summary>Without i, l, o and u, which are taken for others or make words.</summary>
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    private const int Drawn = 20;
    private const int Checked = 4;
    private const int Group = 4;
    private const int TypedMax = 64;

    /// <summary>A new secret, without separators.</summary>
    public static string Draw()
    {
        var drawn = RandomNumberGenerator.GetString(Alphabet, Drawn);
        return drawn + Check(drawn);
    }

    /// <summary>A short name to tell it by; no part of the secret.</summary>
    public static string DrawId() => RandomNumberGenerator.GetString(Alphabet, 6);

    /// <summary>As it is shown, once: "k7f3-9x2m-…".</summary>
    public static string Show(string secret) => string.Join('-', secret.Chunk(Group).Select(group => new string(group)));

    /// <summary>Blanks, dashes and case do not count, nor does o for 0 and i or l for 1. Null when it is none of ours.</summary>
    public static string? Parse(string typed)
    {
        if (typed.Length > TypedMax)
        {
            return null;
        }

        var secret = new StringBuilder(Drawn + Checked);
        foreach (var typedCharacter in typed)
        {
            var character = char.ToLowerInvariant(typedCharacter) switch
            {
                'o' => '0',
                'i' or 'l' => '1',
                var other => other,
            };
            if (Alphabet.Contains(character, StringComparison.Ordinal) && char.IsAscii(typedCharacter))
            {
                secret.Append(character);
            }
            else if (character is not (' ' or '-'))
            {
                return null;
            }
        }

        var text = secret.ToString();
        return text.Length == Drawn + Checked && Check(text[..Drawn]) == text[Drawn..] ? text : null;
    }

    private static string Check(string drawn)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes("sallyport app password\n" + drawn));
        return string.Create(Checked, hash, static (text, octets) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = Alphabet[octets[i] & 31];
            }
        });
    }
}
