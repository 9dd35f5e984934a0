using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Sallyport.Server.Identity.Directories.Oidc;

/// <summary>
/// A compact JWS (RFC 7515 §3.1) taken apart and not yet believed. What its header says of where keys are (jku, x5u, jwk, x5c) is not
/// even read.
/// </summary>
/// <param name="KeyId">Names a key among the issuer's; nothing is looked up by it but that.</param>
internal sealed record ReadToken(string Algorithm, string? KeyId, JsonElement Claims)
{
    /// <summary>A limit of last resort: [limits] max_token_bytes is below it.</summary>
    public const int BytesMax = 64 * 1024;

    private const int KeyIdMax = 256;
    private static readonly string[] Types = ["JWT", "at+jwt", "application/at+jwt"];

    private static readonly SearchValues<char> Base64UrlCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // The compiler's version would print the claims.
    public override string ToString() => $"token signed with {Algorithm}";

    /// <returns>Null and the reason when it is none that could be right.</returns>
    public static ReadToken? Read(string token, out string trouble)
    {
        var parts = token.Length <= BytesMax ? token.Split('.') : [];
        if (parts.Length != 3)
        {
            trouble = parts.Length == 5
                ? "it is encrypted (JWE), which is not taken"
                : "it is no JWT; a token of another kind needs judge = \"introspection\"";
            return null;
        }

        if (Decode(parts[0]) is not { } header || Decode(parts[1]) is not { } claims)
        {
            trouble = "header or claims are no JSON object, or have a member twice";
            return null;
        }

        trouble = header.TryGetProperty("crit", out _) ? "its header has \"crit\", which nothing here understands"
            : Text(header, "alg") is not { Length: > 0 } ? "its header names no algorithm"
            : header.TryGetProperty("typ", out _) && !Types.Contains(Text(header, "typ"), StringComparer.OrdinalIgnoreCase)
                ? "its header says that it is no access token (\"typ\")"
            : header.TryGetProperty("kid", out _) && Text(header, "kid") is not { Length: > 0 and <= KeyIdMax } ? "its \"kid\" is no key id"
            : parts[2].Length == 0 || parts[2].AsSpan().ContainsAnyExcept(Base64UrlCharacters) ? "it is not signed"
            : "";
        return trouble.Length == 0 ? new ReadToken(Text(header, "alg")!, Text(header, "kid"), claims) : null;
    }

    /// <summary>A member that is a text; null when it is missing or something else.</summary>
    public static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement? Decode(string part)
    {
        if (part.Length == 0 || part.AsSpan().ContainsAnyExcept(Base64UrlCharacters))
        {
            return null;
        }

        try
        {
            return ProviderClient.ParseObject(Base64Url.DecodeFromChars(part));
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }
}
