using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Directories.Oidc;

/// <summary>What there is to check a signature with.</summary>
internal abstract record KeyAnswer
{
    private KeyAnswer()
    {
    }

    public sealed record Found(ImmutableArray<JsonWebKey> Keys) : KeyAnswer;

    /// <summary>The issuer was asked and has no such key.</summary>
    public sealed record NoSuchKey : KeyAnswer;

    public sealed record Unavailable(string Why) : KeyAnswer;
}

/// <summary>
/// The issuer's signature keys: fetched by discovery, kept, fetched again after a while and for a key id nobody knows, the latter not
/// more often than configured. While the issuer is away the keys at hand go on being used, for a day.
/// </summary>
internal sealed class ProviderKeys(OidcDirectoryOptions options, ProviderClient client, TimeProvider time)
{
    private const int KeysMax = 100;
    private const int RsaBitsMin = 2048;
    private static readonly TimeSpan KeepMax = TimeSpan.FromDays(1);
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private KeySet? _keys;
    private Task<string>? _fetching;
    private DateTimeOffset _triedAt = DateTimeOffset.MinValue;
    private string _trouble = "";

    /// <param name="issuedAt">By the token's own account.</param>
    public async ValueTask<KeyAnswer> FindAsync(ReadToken token, DateTimeOffset? issuedAt)
    {
        var now = time.GetUtcNow();
        var seen = Read(() => _keys);
        if (Usable(now) is not { } keys)
        {
            var trouble = now - Read(() => _triedAt) < RestAfterFailure && Read(() => _trouble) is { Length: > 0 } last
                ? last : await FetchAsync(seen);
            keys = Usable(now);
            if (keys is null)
            {
                return new KeyAnswer.Unavailable(trouble);
            }
        }
        else if (now - keys.FetchedAt >= options.KeysRefresh && now - Read(() => _triedAt) >= options.KeysRefreshMin)
        {
            await FetchAsync(seen); // when that fails, those at hand still judge
            keys = Usable(now)!;
        }

        if (Matching(keys, token) is { Length: > 0 } found)
        {
            return new KeyAnswer.Found(found);
        }

        if (now - Read(() => _triedAt) >= options.KeysRefreshMin)
        {
            var trouble = await FetchAsync(seen);
            return trouble.Length > 0 ? new KeyAnswer.Unavailable(trouble)
                : Matching(Usable(now)!, token) is { Length: > 0 } fresh ? new KeyAnswer.Found(fresh)
                : new KeyAnswer.NoSuchKey();
        }

        // Not asked again so soon. A token from before we asked cannot be signed with a key of after; a younger one may be.
        return Read(() => _trouble) is { Length: > 0 } lately ? new KeyAnswer.Unavailable(lately)
            : keys.FetchedAt < now && issuedAt > keys.FetchedAt && issuedAt <= now + options.ClockSkew
                ? new KeyAnswer.Unavailable(
                    $"the token's key is not among those of {options.Issuer} fetched {keys.FetchedAt:u}; they are fetched again soon")
                : new KeyAnswer.NoSuchKey();
    }

    /// <summary>Fetches discovery document and keys now.</summary>
    /// <returns>Names of the keys.</returns>
    /// <exception cref="ProviderException">The issuer cannot be asked, or has no usable key.</exception>
    public async Task<IReadOnlyList<string>> ProbeAsync(CancellationToken cancel) =>
        [.. (await LoadAsync(cancel)).Select(key => $"{key.Kty} {key.KeyId}")];

    private ImmutableArray<JsonWebKey> Matching(KeySet keys, ReadToken token) =>
    [
        .. keys.Keys.Where(key => (token.KeyId is null || key.KeyId == token.KeyId)
            && (string.IsNullOrEmpty(key.Alg) || key.Alg == token.Algorithm)
            && key.Kty == (token.Algorithm.StartsWith("ES", StringComparison.Ordinal) ? "EC" : "RSA")),
    ];

    private KeySet? Usable(DateTimeOffset now) => Read(() => _keys) is { } keys && now - keys.FetchedAt < KeepMax ? keys : null;

    private T Read<T>(Func<T> read)
    {
        lock (_gate)
        {
            return read();
        }
    }

    /// <summary>All who need keys at the same moment share one fetch. Returns the trouble with it; empty when there was none.</summary>
    /// <param name="seen">What the caller found wanting: where others are there by now, one fetch has served it already.</param>
    private Task<string> FetchAsync(KeySet? seen)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_keys, seen))
            {
                return Task.FromResult("");
            }

            if (_fetching is not { IsCompleted: false })
            {
                _triedAt = time.GetUtcNow();
                _fetching = FetchNowAsync();
            }

            return _fetching;
        }
    }

    private async Task<string> FetchNowAsync()
    {
        await Task.Yield(); // not under the lock
        var trouble = "";
        ImmutableArray<JsonWebKey> keys = [];
        try
        {
            keys = await LoadAsync(default);
        }
        catch (ProviderException exception)
        {
            trouble = exception.Message;
        }

        lock (_gate)
        {
            _trouble = trouble;
            _keys = trouble.Length == 0 ? new KeySet(keys, time.GetUtcNow()) : _keys;
            _triedAt = time.GetUtcNow();
        }

        return trouble;
    }

    /// <summary>Only keys of a pair, meant for signatures and strong enough: a shared secret among them is nobody's business here.</summary>
    private async Task<ImmutableArray<JsonWebKey>> LoadAsync(CancellationToken cancel)
    {
        var document = await client.GetAsync(client.AddressIn(await client.DiscoverAsync(cancel), "jwks_uri"), cancel);
        if (!document.TryGetProperty("keys", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            throw new ProviderException($"the keys of {options.Issuer} are no JSON Web Key Set");
        }

        var keys = list.EnumerateArray().Take(KeysMax).Where(json => json.ValueKind == JsonValueKind.Object)
            .Select(ReadKey).OfType<JsonWebKey>().ToImmutableArray();
        return keys.Length > 0 ? keys : throw new ProviderException($"{options.Issuer} publishes no key this server can use");
    }

    private static JsonWebKey? ReadKey(JsonElement json)
    {
        var (type, use) = (ReadToken.Text(json, "kty"), ReadToken.Text(json, "use"));
        if (type is not ("RSA" or "EC") || use is not (null or "sig"))
        {
            return null;
        }

        // The members a public key needs, and no other: certificates and addresses beside them are not looked at.
        var key = new JsonWebKey
        {
            Kty = type,
            Kid = ReadToken.Text(json, "kid"),
            KeyId = ReadToken.Text(json, "kid"),
            Alg = ReadToken.Text(json, "alg"),
            N = ReadToken.Text(json, "n"),
            E = ReadToken.Text(json, "e"),
            Crv = ReadToken.Text(json, "crv"),
            X = ReadToken.Text(json, "x"),
            Y = ReadToken.Text(json, "y"),
        };
        try
        {
            return type == "RSA" ? key.N is not null && key.E is not null && key.KeySize >= RsaBitsMin ? key : null
                : key.Crv is "P-256" or "P-384" && key.X is not null && key.Y is not null ? key : null;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private sealed record KeySet(ImmutableArray<JsonWebKey> Keys, DateTimeOffset FetchedAt);
}
