using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Directories.Oidc;

namespace Sallyport.Tests.Server.Identity.Directories.Oidc;

/// <summary>An OpenID provider in memory: discovery, keys, introspection, and tokens signed by keys of its own.</summary>
internal sealed class FakeProvider : HttpMessageHandler
{
    public const string Issuer = "https://id.acme.test/realms/acme";

    private readonly Dictionary<string, AsymmetricAlgorithm> _keys = [];

    public FakeProvider()
    {
        AddRsa("rsa-1");
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    /// <summary>Addresses asked, in order.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>What the introspection endpoint was sent.</summary>
    public List<(string Authorization, string Form)> Introspected { get; } = [];

    /// <summary>In place of an answer; null answers.</summary>
    public Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>? Instead { get; set; }

    public JsonObject Discovery { get; } = new()
    {
        ["issuer"] = Issuer,
        ["jwks_uri"] = "https://id.acme.test/keys",
        ["introspection_endpoint"] = "https://id.acme.test/introspect",
    };

    /// <summary>Keys published besides our own.</summary>
    public List<JsonObject> MoreKeys { get; } = [];

    public JsonObject Introspection { get; set; } = [];

    public OidcDirectory Directory(Func<OidcDirectoryOptions, OidcDirectoryOptions>? change = null)
    {
        var options = new OidcDirectoryOptions("acme") { Issuer = Issuer, Audiences = new(["sallyport"]) };
        return new OidcDirectory(change is null ? options : change(options), Time, this);
    }

    public RSA AddRsa(string id)
    {
        var rsa = RSA.Create(2048);
        _keys[id] = rsa;
        return rsa;
    }

    public ECDsa AddEc(string id, ECCurve curve)
    {
        var key = ECDsa.Create(curve);
        _keys[id] = key;
        return key;
    }

    public void Withdraw(string id) => _keys.Remove(id);

    public RSA Rsa(string id) => (RSA)_keys[id];

    /// <summary>Claims of a good token, changed by the test.</summary>
    public JsonObject Claims(Action<JsonObject>? change = null)
    {
        var now = Time.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = "sallyport",
            ["sub"] = "4711",
            ["exp"] = now + 300,
            ["nbf"] = now - 10,
            ["iat"] = now - 10,
            ["email"] = "Jane@acme.test",
            ["email_verified"] = true,
            ["scope"] = "openid smtp",
        };
        change?.Invoke(claims);
        return claims;
    }

    public string Sign(JsonObject claims, string kid = "rsa-1", string alg = "RS256") => Sign(
        $$"""{"alg":"{{alg}}","typ":"at+jwt","kid":"{{kid}}"}""", claims.ToJsonString(), octets => SignOctets(_keys[kid], alg, octets));

    public static string Sign(string header, string claims, Func<byte[], byte[]> sign)
    {
        var text = Encode(Encoding.UTF8.GetBytes(header)) + "." + Encode(Encoding.UTF8.GetBytes(claims));
        return text + "." + Encode(sign(Encoding.ASCII.GetBytes(text)));
    }

    public static byte[] SignOctets(AsymmetricAlgorithm key, string alg, byte[] octets)
    {
        var hash = alg[2..] switch { "384" => HashAlgorithmName.SHA384, "512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA256 };
        return key is RSA rsa
            ? rsa.SignData(octets, hash, alg[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)
            : ((ECDsa)key).SignData(octets, hash);
    }

    public static string Encode(byte[] octets) => Base64Url.EncodeToString(octets);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Asked.Add(request.RequestUri!.AbsolutePath);
        if (Instead is not null)
        {
            return await Instead(request, cancellationToken);
        }

        if (request.RequestUri.AbsolutePath == "/introspect")
        {
            Introspected.Add((request.Headers.Authorization!.ToString(), await request.Content!.ReadAsStringAsync(cancellationToken)));
        }

        return request.RequestUri.AbsoluteUri switch
        {
            Issuer + "/.well-known/openid-configuration" => Json(Discovery),
            "https://id.acme.test/keys" => Json(new JsonObject { ["keys"] = Keys() }),
            "https://id.acme.test/introspect" => Json(Introspection),
            _ => new HttpResponseMessage(HttpStatusCode.NotFound),
        };
    }

    public static HttpResponseMessage Json(JsonNode json) =>
        new() { Content = new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json") };

    private JsonArray Keys()
    {
        var keys = new JsonArray();
        foreach (var (id, key) in _keys)
        {
            keys.Add(Public(id, key));
        }

        foreach (var more in MoreKeys)
        {
            keys.Add(more.DeepClone());
        }

        return keys;
    }

    private static JsonObject Public(string id, AsymmetricAlgorithm key)
    {
        if (key is RSA rsa)
        {
            var parameters = rsa.ExportParameters(false);
            return new()
            {
                ["kty"] = "RSA",
                ["kid"] = id,
                ["use"] = "sig",
                ["n"] = Encode(parameters.Modulus!),
                ["e"] = Encode(parameters.Exponent!),
            };
        }

        var point = ((ECDsa)key).ExportParameters(false);
        return new()
        {
            ["kty"] = "EC",
            ["kid"] = id,
            ["crv"] = point.Q.X!.Length == 32 ? "P-256" : "P-384",
            ["x"] = Encode(point.Q.X),
            ["y"] = Encode(point.Q.Y!),
        };
    }
}
