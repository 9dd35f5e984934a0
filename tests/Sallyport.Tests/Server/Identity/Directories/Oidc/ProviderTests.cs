using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Oidc;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Directories.Oidc;

/// <summary>Keys that come and go, issuers that are away, and introspection.</summary>
public sealed class ProviderTests : IDisposable
{
    private readonly FakeProvider _provider = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_key_is_fetched_when_a_token_names_it_and_not_too_often()
    {
        using var directory = _provider.Directory();
        await GrantedAsync(directory, Token());
        Assert.Equal(2, _provider.Asked.Count);
        _provider.AddRsa("rsa-2");
        _provider.Time.Advance(TimeSpan.FromSeconds(2));
        var fresh = _provider.Sign(_provider.Claims(claims => claims["iat"] = _provider.Time.GetUtcNow().ToUnixTimeSeconds()), "rsa-2");
        Assert.IsType<LoginVerdict.Unavailable>(await JudgeAsync(directory, fresh)); // just asked: not yet
        Assert.Equal(2, _provider.Asked.Count);
        _provider.Time.Advance(TimeSpan.FromSeconds(10));
        await GrantedAsync(directory, fresh);
        await GrantedAsync(directory, Token("rsa-2"));
        Assert.Equal(4, _provider.Asked.Count);
    }

    [Fact]
    public async Task Made_up_key_ids_make_one_request_in_a_while()
    {
        using var directory = _provider.Directory();
        await GrantedAsync(directory, Token());
        _provider.Time.Advance(TimeSpan.FromMinutes(1));
        using var other = new FakeProvider();
        for (var i = 0; i < 20; i++)
        {
            other.AddRsa("made-up-" + i);
            var claims = _provider.Claims(claims => claims["iat"] = _provider.Time.GetUtcNow().ToUnixTimeSeconds() - 120);
            Assert.IsType<LoginVerdict.Denied>(await JudgeAsync(directory, other.Sign(claims, "made-up-" + i)));
        }

        Assert.Equal(4, _provider.Asked.Count);
        await GrantedAsync(directory, Token());
    }

    [Fact]
    public async Task A_withdrawn_key_is_noticed_after_the_refresh()
    {
        using var directory = _provider.Directory();
        await GrantedAsync(directory, Token());
        var leaked = _provider.Rsa("rsa-1");
        _provider.AddRsa("rsa-2");
        _provider.Withdraw("rsa-1");
        _provider.Time.Advance(TimeSpan.FromHours(1));
        var forged = FakeProvider.Sign("""{"alg":"RS256","kid":"rsa-1"}""",
            _provider.Claims(claims => claims["iat"] = _provider.Time.GetUtcNow().ToUnixTimeSeconds() - 600).ToJsonString(),
            octets => FakeProvider.SignOctets(leaked, "RS256", octets));
        Assert.IsType<LoginVerdict.Denied>(await JudgeAsync(directory, forged));
        await GrantedAsync(directory, Token("rsa-2"));
    }

    [Fact]
    public async Task While_the_issuer_is_away_known_keys_judge_on_and_unknown_ones_are_454()
    {
        using var directory = _provider.Directory();
        await GrantedAsync(directory, Token());
        _provider.Instead = (_, _) => throw new HttpRequestException("connection refused");
        _provider.Time.Advance(TimeSpan.FromHours(5));
        await GrantedAsync(directory, Token());
        _provider.AddRsa("rsa-2");
        Assert.IsType<LoginVerdict.Unavailable>(await JudgeAsync(directory, Token("rsa-2")));
        Assert.IsType<LoginVerdict.Denied>(await JudgeAsync(directory, _provider.Sign(_provider.Claims(claims => claims["exp"] = 5))));
        _provider.Time.Advance(TimeSpan.FromHours(20)); // more than a day: nobody knows any more
        Assert.IsType<LoginVerdict.Unavailable>(await JudgeAsync(directory, Token()));
        _provider.Instead = null;
        _provider.Time.Advance(TimeSpan.FromSeconds(30));
        await GrantedAsync(directory, Token());
    }

    [Fact]
    public async Task An_issuer_that_says_nothing_is_given_up_on_by_our_clock()
    {
        ITokenDirectory directory = _provider.Directory();
        var asked = new TaskCompletionSource();
        _provider.Instead = async (_, cancel) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancel);
            return new HttpResponseMessage();
        };
        var judging = JudgeAsync(directory, Token());
        await asked.Task;
        Assert.False(judging.IsCompleted);
        _provider.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Contains("within 5s", Assert.IsType<LoginVerdict.Unavailable>(await judging).Why);
    }

    public static TheoryData<string, string> BadAnswers() => new()
    {
        { "500", "500" },
        { "302", "redirect" },
        { "html", "JSON" },
        { "array", "JSON" },
        { "huge", "cannot be asked" },
        { "issuer", "says its issuer is" },
        { "keys-http", "https://" },
        { "no-keys", "no jwks_uri" },
    };

    [Theory]
    [MemberData(nameof(BadAnswers))]
    public async Task An_issuer_that_answers_nonsense_is_454_and_named(string what, string why)
    {
        using var directory = _provider.Directory();
        _provider.Discovery["issuer"] = what == "issuer" ? "https://evil.test" : FakeProvider.Issuer;
        _provider.Discovery["jwks_uri"] = what switch
        {
            "keys-http" => "http://id.acme.test/keys",
            "no-keys" => null,
            _ => "https://id.acme.test/keys",
        };
        _provider.Instead = what switch
        {
            "500" => (_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.InternalServerError)),
            "302" => (_, _) => Task.FromResult(
                new HttpResponseMessage(HttpStatusCode.Found) { Headers = { Location = new Uri("https://evil.test/") } }),
            "html" => (_, _) => Task.FromResult(new HttpResponseMessage { Content = new StringContent("<html>") }),
            "array" => (_, _) => Task.FromResult(new HttpResponseMessage { Content = new StringContent("[]") }),
            "huge" => (_, _) => Task.FromResult(new HttpResponseMessage { Content = new ByteArrayContent(new byte[2_000_000]) }),
            _ => null,
        };
        Assert.Contains(why, Assert.IsType<LoginVerdict.Unavailable>(await JudgeAsync(directory, Token())).Why);
        var asked = _provider.Asked.Count;
        Assert.IsType<LoginVerdict.Unavailable>(await JudgeAsync(directory, Token()));
        Assert.Equal(asked, _provider.Asked.Count); // not asked again at once
        Assert.DoesNotContain(_provider.Asked, address => address.Contains("evil", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Many_tokens_at_once_share_one_fetch()
    {
        ITokenDirectory directory = _provider.Directory();
        var token = Token();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => GrantedAsync(directory, token))));
        Assert.Equal(2, _provider.Asked.Count);
    }

    [Fact]
    public async Task Weak_keys_and_keys_for_encryption_are_not_used()
    {
        _provider.Withdraw("rsa-1");
        using var weak = System.Security.Cryptography.RSA.Create(1024);
        var n = FakeProvider.Encode(weak.ExportParameters(false).Modulus!);
        _provider.MoreKeys.Add(new() { ["kty"] = "RSA", ["kid"] = "weak", ["n"] = n, ["e"] = "AQAB" });
        _provider.MoreKeys.Add(new() { ["kty"] = "RSA", ["kid"] = "enc", ["use"] = "enc", ["n"] = n + n + n, ["e"] = "AQAB" });
        _provider.MoreKeys.Add(new() { ["kty"] = "EC", ["kid"] = "curve", ["crv"] = "secp256k1", ["x"] = "AA", ["y"] = "AA" });
        _provider.MoreKeys.Add(new() { ["kty"] = "RSA", ["kid"] = "torn", ["n"] = "!!!", ["e"] = 5 });
        using var directory = _provider.Directory();
        var token = FakeProvider.Sign("""{"alg":"RS256","kid":"weak"}""", _provider.Claims().ToJsonString(),
            octets => FakeProvider.SignOctets(weak, "RS256", octets));
        Assert.Contains("no key", Assert.IsType<LoginVerdict.Unavailable>(await JudgeAsync(directory, token)).Why);
    }

    [Fact]
    public async Task Introspection_asks_as_the_configured_client_and_believes_the_claims()
    {
        using var directory = Introspecting();
        _provider.Introspection = Active();
        var granted = Assert.IsType<LoginVerdict.Granted>(await JudgeAsync(directory, "opaque+token/="));
        Assert.Equal("jane@acme.test", granted.Entry.Login);
        var (authorization, form) = Assert.Single(_provider.Introspected);
        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("sally%3Aport:s%C3%A4cret")), authorization);
        Assert.Equal("token=opaque%2Btoken%2F%3D&token_type_hint=access_token", form);
    }

    [Fact]
    public async Task Active_is_remembered_for_a_short_time_and_never_beyond_the_end_of_the_token()
    {
        using var directory = Introspecting();
        _provider.Introspection = Active(seconds: 90);
        await GrantedAsync(directory, "opaque");
        await GrantedAsync(directory, "opaque");
        Assert.Single(_provider.Introspected);
        _provider.Time.Advance(TimeSpan.FromSeconds(61));
        await GrantedAsync(directory, "opaque");
        Assert.Equal(2, _provider.Introspected.Count);
        _provider.Time.Advance(TimeSpan.FromSeconds(30)); // 91 s: the token's end, before the cache's
        _provider.Introspection = new() { ["active"] = false };
        Assert.IsType<LoginVerdict.Denied>(await JudgeAsync(directory, "opaque"));
        Assert.Equal(3, _provider.Introspected.Count);
    }

    [Theory]
    [InlineData("iss", "https://evil.test")]
    [InlineData("aud", "other")]
    [InlineData("email", null)]
    public async Task Introspected_claims_are_judged_like_others(string claim, string? value)
    {
        using var directory = Introspecting();
        _provider.Introspection = Active();
        _provider.Introspection[claim] = value;
        Assert.IsType<LoginVerdict.Denied>(await JudgeAsync(directory, "opaque"));
    }

    [Fact]
    public async Task A_JWT_of_another_issuer_is_not_shown_to_this_one()
    {
        using var directory = Introspecting();
        var token = _provider.Sign(_provider.Claims(claims => claims["iss"] = "https://other.test"));
        Assert.Equal(LoginReason.UnknownLogin, (await JudgeAsync(directory, token)).Reason);
        Assert.Empty(_provider.Introspected);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task An_issuer_that_does_not_judge_is_454(HttpStatusCode status)
    {
        using var directory = Introspecting();
        _provider.Introspection = Active();
        await GrantedAsync(directory, "opaque");
        _provider.Instead = (_, _) => Task.FromResult(new HttpResponseMessage(status));
        Assert.IsType<LoginVerdict.Unavailable>(await JudgeAsync(directory, "another"));
        await GrantedAsync(directory, "opaque"); // still remembered
        _provider.Instead = (_, _) => Task.FromResult(FakeProvider.Json(new JsonObject { ["error"] = "invalid_request" }));
        Assert.IsType<LoginVerdict.Unavailable>(await JudgeAsync(directory, "another"));
    }

    [Fact]
    public async Task A_probe_of_a_provider_says_what_is_there()
    {
        using var directory = _provider.Directory();
        Assert.Equal((true, FakeProvider.Issuer + " answers; 1 keys: RSA rsa-1"), await directory.ProbeAsync(Cancel));
        _provider.Instead = (_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotFound));
        var (usable, what) = await directory.ProbeAsync(Cancel);
        Assert.False(usable);
        Assert.Contains("is the issuer right?", what);
    }

    public void Dispose() => _provider.Dispose();

    private OidcDirectory Introspecting() =>
        _provider.Directory(options => options with { Introspection = true, ClientId = "sally:port", ClientSecret = "säcret" });

    private JsonObject Active(int seconds = 300) => new()
    {
        ["active"] = true,
        ["aud"] = "sallyport",
        ["email"] = "jane@acme.test",
        ["email_verified"] = true,
        ["exp"] = _provider.Time.GetUtcNow().ToUnixTimeSeconds() + seconds,
    };

    private string Token(string kid = "rsa-1") => _provider.Sign(_provider.Claims(), kid);

    private static async Task<LoginVerdict> JudgeAsync(ITokenDirectory directory, string token) =>
        (await directory.EvaluateTokenAsync(token, null, Cancel)).Answer;

    private static async Task GrantedAsync(ITokenDirectory directory, string token) =>
        Assert.IsType<LoginVerdict.Granted>(await JudgeAsync(directory, token));
}
