using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Oidc;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Oidc;

/// <summary>Which JWTs are a login, which are not, and that an attacker's words in one lead nowhere.</summary>
public sealed class TokenEvaluationTests : IDisposable
{
    private readonly FakeProvider _provider = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_good_token_is_its_logins()
    {
        using var directory = _provider.Directory(options => options with { GroupsClaim = "groups", Scopes = new(["smtp"]) });
        var token = _provider.Sign(_provider.Claims(claims => claims["groups"] = new JsonArray("staff", "admins")));
        var granted = Assert.IsType<LoginVerdict.Granted>((await directory.EvaluateTokenAsync(token, "jane@acme.test", Cancel)).Answer);
        Assert.Equal(("jane@acme.test", "acme"), (granted.Entry.Login, granted.Entry.Directory));
        Assert.Equal(["jane@acme.test"], granted.Entry.Addresses.ToArray());
        Assert.Equal(["staff", "admins"], granted.Entry.Groups.ToArray());
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("PS384")]
    [InlineData("PS512")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    public async Task Each_algorithm_of_a_key_pair_is_taken(string alg)
    {
        _provider.AddEc("ec", alg == "ES384" ? ECCurve.NamedCurves.nistP384 : ECCurve.NamedCurves.nistP256);
        using var directory = _provider.Directory();
        var token = _provider.Sign(_provider.Claims(), alg[0] == 'E' ? "ec" : "rsa-1", alg);
        Assert.IsType<LoginVerdict.Granted>((await directory.EvaluateTokenAsync(token, null, Cancel)).Answer);
        Assert.Contains("signature", await WhyAsync(directory, token[..^10] + "AAAAAAAAAA"));
    }

    public static TheoryData<string, string, string> WrongClaims() => new()
    {
        { "aud", "\"other\"", "audience" },
        { "aud", "[\"other\",\"another\"]", "audience" },
        { "aud", "null", "audience" },
        { "exp", "1772366340", "expires" },
        { "exp", "\"1900000000\"", "expires" },
        { "exp", "-5", "expires" },
        { "exp", "1e300", "expires" },
        { "exp", "null", "expires" },
        { "nbf", "1772370000", "not before" },
        { "nbf", "\"now\"", "not before" },
        { "scope", "\"openid smtpx\"", "scope" },
        { "scope", "null", "scope" },
        { "email", "null", "login" },
        { "email", "[\"jane@acme.test\"]", "login" },
        { "email", "\"\"", "login" },
        { "email", "\"ja\\u0000ne@acme.test\"", "login" },
        { "email_verified", "false", "login" },
        { "email_verified", "null", "login" },
        { "email_verified", "1", "login" },
    };

    [Theory]
    [MemberData(nameof(WrongClaims))]
    public async Task A_wrong_claim_is_named_and_no_key_is_fetched_for_it(string claim, string value, string check)
    {
        using var directory = _provider.Directory(options => options with { Scopes = new(["smtp"]) });
        var token = _provider.Sign(_provider.Claims(claims =>
        {
            claims.Remove(claim);
            if (value != "null")
            {
                claims[claim] = JsonNode.Parse(value);
            }
        }));
        Assert.StartsWith($"token: {check}: ", await WhyAsync(directory, token));
        Assert.Empty(_provider.Asked);
    }

    [Theory]
    [InlineData("aud", "[\"other\",\"sallyport\"]")]
    [InlineData("exp", "1772366370.5")]
    [InlineData("email_verified", "\"true\"")]
    [InlineData("scope", "[\"smtp\"]")]
    public async Task What_issuers_write_differently_is_taken(string claim, string value)
    {
        using var directory = _provider.Directory(options => options with { Scopes = new(["smtp"]) });
        var token = _provider.Sign(_provider.Claims(claims => claims[claim] = JsonNode.Parse(value)));
        Assert.IsType<LoginVerdict.Granted>((await directory.EvaluateTokenAsync(token, null, Cancel)).Answer);
    }

    [Fact]
    public async Task The_client_may_not_name_somebody_else()
    {
        using var directory = _provider.Directory();
        var judged = await directory.EvaluateTokenAsync(_provider.Sign(_provider.Claims()), "bob@acme.test", Cancel);
        Assert.Contains("bob@acme.test", Assert.IsType<LoginVerdict.Denied>(judged.Answer).Why);
    }

    [Fact]
    public async Task Another_login_claim_needs_no_verified_email_but_an_unverified_one_is_no_address()
    {
        using var directory = _provider.Directory(options => options with
        {
            LoginClaim = "preferred_username",
            AddressClaims = new(["email", "aliases"]),
        });
        var token = _provider.Sign(_provider.Claims(claims =>
        {
            claims["preferred_username"] = "JDoe";
            claims["email_verified"] = false;
            claims["aliases"] = new JsonArray("jane.doe@acme.test", "no address");
        }));
        var granted = Assert.IsType<LoginVerdict.Granted>((await directory.EvaluateTokenAsync(token, "jdoe", Cancel)).Answer);
        Assert.Equal("jdoe", granted.Entry.Login);
        Assert.Equal(["jane.doe@acme.test"], granted.Entry.Addresses.ToArray());
    }

    [Fact]
    public async Task A_token_of_another_issuer_is_another_directorys()
    {
        using var directory = _provider.Directory();
        var token = _provider.Sign(_provider.Claims(claims => claims["iss"] = "https://evil.test"));
        Assert.Equal(LoginReason.UnknownLogin, ((await directory.EvaluateTokenAsync(token, null, Cancel)).Answer).Reason);
        Assert.Equal(LoginReason.UnknownLogin, ((await directory.EvaluateTokenAsync("opaque", null, Cancel)).Answer).Reason);
        Assert.Empty(_provider.Asked);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("HS256")]
    [InlineData("HS512")]
    [InlineData("ES512")]
    [InlineData("RSA-OAEP")]
    public async Task An_algorithm_not_on_the_list_is_refused_unseen(string alg)
    {
        using var directory = _provider.Directory();
        var token = FakeProvider.Sign($$"""{"alg":"{{alg}}","kid":"rsa-1"}""", _provider.Claims().ToJsonString(), _ => [1, 2, 3]);
        Assert.Contains("algorithm", await WhyAsync(directory, token));
        Assert.Empty(_provider.Asked);
    }

    [Fact]
    public async Task The_public_key_is_no_shared_secret()
    {
        // CVE-2015-9235: HMAC with the published key as its secret, also under the name of an algorithm that is taken.
        var pem = Encoding.ASCII.GetBytes(_provider.Rsa("rsa-1").ExportSubjectPublicKeyInfoPem());
        _provider.MoreKeys.Add(new JsonObject { ["kty"] = "oct", ["kid"] = "shared", ["k"] = FakeProvider.Encode(pem) });
        using var directory = _provider.Directory();
        Assert.Contains("algorithm", await WhyAsync(directory, Forged("""{"alg":"HS256","kid":"rsa-1"}""")));
        Assert.Contains("signature", await WhyAsync(directory, Forged("""{"alg":"RS256","kid":"rsa-1"}""")));
        Assert.Contains("signature", await WhyAsync(directory, Forged("""{"alg":"RS256","kid":"shared"}""")));

        string Forged(string header) =>
            FakeProvider.Sign(header, _provider.Claims().ToJsonString(), octets => HMACSHA256.HashData(pem, octets));
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("https://evil.test/keys")]
    [InlineData("file:///dev/null")]
    [InlineData("x' OR '1'='1")]
    public async Task A_key_id_is_a_name_among_the_issuers_keys_and_nothing_else(string kid)
    {
        using var directory = _provider.Directory();
        using var mine = RSA.Create(2048);
        var token = FakeProvider.Sign($$"""{"alg":"RS256","kid":"{{kid}}","jku":"https://evil.test/keys","x5u":"https://evil.test/c"}""",
            _provider.Claims().ToJsonString(), octets => FakeProvider.SignOctets(mine, "RS256", octets));
        Assert.Contains("signature", await WhyAsync(directory, token));
        Assert.Equal(["/realms/acme/.well-known/openid-configuration", "/keys"], _provider.Asked);
    }

    [Fact]
    public async Task A_key_the_token_brings_along_is_not_looked_at()
    {
        using var directory = _provider.Directory();
        using var mine = RSA.Create(2048);
        var key = mine.ExportParameters(false);
        var jwk = $$"""{"kty":"RSA","n":"{{FakeProvider.Encode(key.Modulus!)}}","e":"AQAB"}""";
        var token = FakeProvider.Sign($$"""{"alg":"RS256","jwk":{{jwk}}}""", _provider.Claims().ToJsonString(),
            octets => FakeProvider.SignOctets(mine, "RS256", octets));
        Assert.Contains("signature", await WhyAsync(directory, token));
    }

    [Theory]
    [InlineData("""{"alg":"RS256","alg":"none","kid":"rsa-1"}""", null)]
    [InlineData("""{"alg":"RS256","kid":"rsa-1","crit":["exp"]}""", null)]
    [InlineData("""{"alg":"RS256","kid":"rsa-1","typ":"logout+jwt"}""", null)]
    [InlineData("""{"alg":"RS256","kid":["rsa-1"]}""", null)]
    [InlineData("""{"alg":5,"kid":"rsa-1"}""", null)]
    [InlineData("[]", null)]
    [InlineData("{", null)]
    [InlineData(null, """{"iss":"https://id.acme.test/realms/acme","email":"jane@acme.test","email":"boss@acme.test"}""")]
    [InlineData(null, """[["a"]]""")]
    [InlineData(null, """{"a":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}""")]
    public async Task A_token_that_is_read_in_two_ways_is_read_in_none(string? header, string? claims)
    {
        using var directory = _provider.Directory();
        var token = FakeProvider.Sign(header ?? """{"alg":"RS256","kid":"rsa-1"}""", claims ?? _provider.Claims().ToJsonString(),
            octets => FakeProvider.SignOctets(_provider.Rsa("rsa-1"), "RS256", octets));
        await WhyAsync(directory, token);
        Assert.Empty(_provider.Asked);
    }

    [Fact]
    public async Task What_is_unsigned_encrypted_torn_or_huge_is_refused()
    {
        using var directory = _provider.Directory();
        var good = _provider.Sign(_provider.Claims());
        var unsigned = good[..(good.LastIndexOf('.') + 1)];
        string[] tokens =
        [
            unsigned, unsigned + "=", good + "=", good + ".", "." + good, good.Replace('.', ','), "a.b.c", "..", "a.b.c.d.e",
            good.Insert(5, "\n"), good.Insert(5, "é"), new string('A', 70_000),
            good[..good.IndexOf('.')] + "." + new string('A', 64 * 1024) + ".AAAA",
        ];
        foreach (var token in tokens)
        {
            var (answer, _) = await directory.EvaluateTokenAsync(token, null, Cancel);
            Assert.True(answer is LoginVerdict.Denied, $"{token.Length}");
        }

        Assert.Empty(_provider.Asked);
    }

    [Fact]
    public async Task Claims_changed_after_signing_are_noticed()
    {
        using var directory = _provider.Directory();
        var parts = _provider.Sign(_provider.Claims()).Split('.');
        parts[1] = FakeProvider.Encode(Encoding.UTF8.GetBytes(_provider.Claims(claims => claims["email"] = "boss@acme.test").ToJsonString()));
        Assert.Contains("signature", await WhyAsync(directory, string.Join('.', parts)));
    }

    [Fact]
    public async Task No_check_shows_the_token()
    {
        using var directory = _provider.Directory();
        foreach (var token in new[] { _provider.Sign(_provider.Claims()), _provider.Sign(_provider.Claims(claims => claims["exp"] = 1)) })
        {
            var judged = await directory.EvaluateTokenAsync(token, null, Cancel);
            var parts = token.Split('.');
            var said = judged + string.Join('\n', judged.Checks);
            Assert.All(parts, part => Assert.DoesNotContain(part, said));
            Assert.Contains(judged.Checks, check => check.Check == "expires");
        }
    }

    public void Dispose() => _provider.Dispose();

    private static async Task<string> WhyAsync(OidcDirectory directory, string token) =>
        Assert.IsType<LoginVerdict.Denied>((await directory.EvaluateTokenAsync(token, null, Cancel)).Answer).Why;
}
