using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Directories.Oidc;

/// <summary>
/// Asks the issuer about each token (RFC 7662). What it said of an active one holds for a short time, under a name from which nobody
/// learns the token, and never beyond the token's own end.
/// </summary>
internal sealed class Introspector(OidcDirectoryOptions options, ProviderClient client, TimeProvider time)
{
    private const int CacheEntriesMax = 10_000;
    private static readonly TimeSpan EndpointLifetime = TimeSpan.FromHours(1);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, (JsonElement Claims, DateTimeOffset Until)> _active = new(StringComparer.Ordinal);
    private (Uri Address, DateTimeOffset Until)? _endpoint;

    /// <summary>The claims of an active token; null for one that is not.</summary>
    /// <exception cref="ProviderException">The issuer cannot be asked.</exception>
    public async ValueTask<JsonElement?> AskAsync(string token, CancellationToken cancel)
    {
        var name = Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(token)));
        if (_active.TryGetValue(name, out var known))
        {
            if (time.GetUtcNow() < known.Until)
            {
                return known.Claims;
            }

            _active.TryRemove(name, out _);
        }

        var form = new Dictionary<string, string> { ["token"] = token, ["token_type_hint"] = "access_token" };
        var answer = await client.PostAsync(await EndpointAsync(cancel), form, cancel);
        if (!answer.TryGetProperty("active", out var active) || active.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            throw new ProviderException($"{options.Issuer} answered about a token without saying whether it is active");
        }

        if (active.ValueKind == JsonValueKind.False)
        {
            return null;
        }

        Keep(name, answer);
        return answer;
    }

    /// <exception cref="ProviderException">The issuer cannot be asked, or takes no questions about tokens.</exception>
    public async Task<Uri> ProbeAsync(CancellationToken cancel) => client.AddressIn(await client.DiscoverAsync(cancel), "introspection_endpoint");

    private async ValueTask<Uri> EndpointAsync(CancellationToken cancel)
    {
        if (_endpoint is { } known && time.GetUtcNow() < known.Until)
        {
            return known.Address;
        }

        try
        {
            var address = await ProbeAsync(cancel);
            _endpoint = (address, time.GetUtcNow() + EndpointLifetime);
            return address;
        }
        catch (ProviderException) when (_endpoint is not null)
        {
            return _endpoint.Value.Address; // it may still answer where it did
        }
    }

    private void Keep(string name, JsonElement claims)
    {
        var now = time.GetUtcNow();
        var until = now + options.IntrospectionCache;
        if (claims.TryGetProperty("exp", out var exp) && exp.ValueKind == JsonValueKind.Number && exp.TryGetInt64(out var seconds)
            && seconds < until.ToUnixTimeSeconds())
        {
            until = DateTimeOffset.FromUnixTimeSeconds(Math.Max(seconds, 0));
        }

        if (_active.Count >= CacheEntriesMax)
        {
            foreach (var (old, entry) in _active)
            {
                if (entry.Until < now || _active.Count >= CacheEntriesMax)
                {
                    _active.TryRemove(old, out _);
                }
            }
        }

        if (until > now)
        {
            _active[name] = (claims, until);
        }
    }
}
