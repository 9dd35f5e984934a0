using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Sallyport.Mail.Sasl;

/// <summary>What OAUTHBEARER and XOAUTH2 have in common: key=value pairs between ^A, and a bearer token among them.</summary>
internal static class TokenMessage
{
    public const byte Separator = 1;

    private const int PairsMax = 16;

    private static readonly SearchValues<byte> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    // RFC 6750 §2.1, b64token.
    private static readonly SearchValues<byte> TokenOctets =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="u8);

    /// <summary>The pairs, up to the empty one that ends them. Null when it is not the grammar, or a known key is there twice.</summary>
    public static Dictionary<string, byte[]>? Read(ReadOnlySpan<byte> message, ReadOnlySpan<string> known)
    {
        var pairs = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        for (var count = 0; count < PairsMax; count++)
        {
            var end = message.IndexOf(Separator);
            if (end < 0)
            {
                return null; // ended by the message, not by ^A
            }

            if (end == 0)
            {
                return message.Length == 1 ? pairs : null;
            }

            var equals = message[..end].IndexOf((byte)'=');
            if (equals <= 0 || message[..equals].ContainsAnyExcept(Letters) || message[..end].Contains((byte)0))
            {
                return null;
            }

            var key = Encoding.ASCII.GetString(message[..equals]).ToLowerInvariant();
            if (!pairs.TryAdd(key, message[(equals + 1)..end].ToArray()) && known.Contains(key))
            {
                return null;
            }

            message = message[(end + 1)..];
        }

        return null;
    }

    /// <summary>"auth=Bearer token" as a question; another scheme, or what can be no token, fails like a wrong one.</summary>
    public static SaslStep Ask(string login, Dictionary<string, byte[]> pairs, int credentialBytesMax, int tokenBytesMax)
    {
        if (!pairs.TryGetValue("auth", out var auth))
        {
            return new SaslStep.Malformed();
        }

        var value = auth.AsSpan();
        var space = value.IndexOf((byte)' ');
        var scheme = space < 0 ? value : value[..space];
        var token = space < 0 ? default : value[space..].Trim((byte)' ');
        return !Ascii.EqualsIgnoreCase(scheme, "Bearer"u8) || token.IsEmpty || token.Length > tokenBytesMax || token.ContainsAnyExcept(TokenOctets)
            || Encoding.UTF8.GetByteCount(login) > credentialBytesMax
            ? new SaslStep.Failed(Encoding.UTF8.GetByteCount(login) > credentialBytesMax ? "" : login)
            : new SaslStep.AskToken(login, Encoding.ASCII.GetString(token));
    }

    /// <summary>One flat object; what is null or empty is left out.</summary>
    public static byte[] Json(params ReadOnlySpan<(string Name, string? Value)> members)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in members)
            {
                if (!string.IsNullOrEmpty(value))
                {
                    json.WriteString(name, value);
                }
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
