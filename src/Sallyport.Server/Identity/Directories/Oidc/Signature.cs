using System.Collections.Immutable;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Sallyport.Server.Identity.Directories.Oidc;

/// <summary>Checks a token's signature, and nothing else of it (RFC 7515 §5.2): who signed is ours to decide, how is the library's.</summary>
internal static class Signature
{
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = ReadToken.BytesMax };

    // Nothing is kept between tokens: keys come and go with the issuer's rotation.
    private static readonly CryptoProviderFactory Factory = new() { CacheSignatureProviders = false };

    /// <param name="algorithm">From the token's header, and on the configuration's list.</param>
    public static async Task<bool> IsRightAsync(string token, string algorithm, ImmutableArray<JsonWebKey> keys)
    {
        var result = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKeys = keys,
            ValidAlgorithms = [algorithm],
            CryptoProviderFactory = Factory,
            RequireSignedTokens = true,
            TryAllIssuerSigningKeys = true,
#pragma warning disable CA5404 // ClaimValidator has checked them, on our clock and with reasons an administrator can read
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
            RequireExpirationTime = false,
#pragma warning restore CA5404
        });
        return result.IsValid;
    }
}
