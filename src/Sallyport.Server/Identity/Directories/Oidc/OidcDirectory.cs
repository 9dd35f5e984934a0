using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Oidc;

/// <summary>
/// Access tokens of one OpenID provider: JWTs judged here by its published keys (RFC 7519, RFC 9068), or any token judged by asking it
/// (RFC 7662). An issuer that cannot be asked is 454, never 535.
/// </summary>
public sealed class OidcDirectory : ITokenDirectory, IDisposable
{
    private readonly OidcDirectoryOptions _options;
    private readonly TimeProvider _time;
    private readonly ProviderClient _client;
    private readonly ProviderKeys _keys;
    private readonly Introspector _introspector;

    /// <param name="handler">In place of the network, for tests.</param>
    public OidcDirectory(OidcDirectoryOptions options, TimeProvider time, HttpMessageHandler? handler = null)
    {
        (_options, _time) = (options, time);
        _client = new ProviderClient(options, time, handler);
        _keys = new ProviderKeys(options, _client, time);
        _introspector = new Introspector(options, _client, time);
        Service = new TokenService(options.Scopes.ToString(), ProviderClient.DiscoveryAddress(options.Issuer));
    }

    public string Name => _options.Name;

    public string? LookUpIn => _options.LookUpIn;

    public TokenService Service { get; }

    /// <summary>A provider tells us of nobody who does not come with a token.</summary>
    public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) => new(new LoginVerdict.Denied(LoginReason.CannotLookUp));

    public async ValueTask<TokenEvaluation> EvaluateTokenAsync(string token, string? login, CancellationToken cancel)
    {
        var read = ReadToken.Read(token, out var trouble);
        if (read is not null && ReadToken.Text(read.Claims, "iss") is { } issuer && issuer != _options.Issuer)
        {
            return new(new LoginVerdict.Denied(LoginReason.UnknownLogin), [new("issuer", false, $"{Shown(issuer)}, not {_options.Issuer}")]);
        }

        if (_options.Introspection)
        {
            return await AskIssuerAsync(token, login, cancel);
        }

        return read is null
            ? new(token.Contains('.', StringComparison.Ordinal) ? Invalid(trouble) : new LoginVerdict.Denied(LoginReason.UnknownLogin),
                [new("form", false, trouble)])
            : await EvaluateHereAsync(token, read, login);
    }

    /// <summary>Looks whether the issuer is there and can be used as configured.</summary>
    /// <returns>True and what was found, or false and what is wrong.</returns>
    public async Task<(bool Usable, string What)> ProbeAsync(CancellationToken cancel)
    {
        try
        {
            if (_options.Introspection)
            {
                return (true, $"{_options.Issuer} answers; tokens are asked about at {await _introspector.ProbeAsync(cancel)}");
            }

            var keys = await _keys.ProbeAsync(cancel);
            var names = string.Join(", ", keys.Take(10));
            return (true, string.Create(CultureInfo.InvariantCulture, $"{_options.Issuer} answers; {keys.Count} keys: {names}"));
        }
        catch (ProviderException exception)
        {
            return (false, exception.Message);
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Claims first: what fails by them is refused without asking anybody for keys.</summary>
    private async ValueTask<TokenEvaluation> EvaluateHereAsync(string token, ReadToken read, string? login)
    {
        var allowed = _options.Algorithms.Contains(read.Algorithm);
        var verdict = new ClaimValidator(_options, _time.GetUtcNow(), introspected: false).Validate(read.Claims, login);
        ImmutableArray<TokenCheck> checks =
        [
            new("algorithm", allowed, allowed ? read.Algorithm : $"{Shown(read.Algorithm)} is not taken; {_options.Algorithms} are"),
            .. verdict.Checks,
        ];
        if (!allowed || verdict.Entry is null)
        {
            return new(Invalid(
                    allowed ? verdict.Why : $"algorithm: {Shown(read.Algorithm)} is not taken", !allowed || verdict.IsFinal),
                checks.Add(new("signature", null, "not looked at: the token is refused without it")));
        }

        var (answer, check) = await _keys.FindAsync(read, ClaimValidator.IssuedAt(read.Claims)) switch
        {
            KeyAnswer.Unavailable unavailable =>
                ((LoginVerdict)new LoginVerdict.Unavailable(unavailable.Why), new TokenCheck("signature", null, unavailable.Why)),
            KeyAnswer.Found found when await Signature.IsRightAsync(token, read.Algorithm, found.Keys) =>
                (new LoginVerdict.Granted(verdict.Entry),
                    new TokenCheck("signature", true, $"{read.Algorithm}, by {KeyName(read)} of the issuer")),
            KeyAnswer.Found => Wrong($"it is not what {KeyName(read)} of the issuer signed"),
            _ => Wrong($"the issuer has no {KeyName(read)} for {read.Algorithm}", isFinal: false), // it may have been made just now
        };
        return new(answer, checks.Add(check));
    }

    private async ValueTask<TokenEvaluation> AskIssuerAsync(string token, string? login, CancellationToken cancel)
    {
        JsonElement? claims;
        try
        {
            claims = await _introspector.AskAsync(token, cancel);
        }
        catch (ProviderException exception)
        {
            return new(new LoginVerdict.Unavailable(exception.Message), [new("introspection", null, exception.Message)]);
        }

        if (claims is null)
        {
            const string Inactive = "the issuer says that it is not active: expired, withdrawn or not its own";
            return new(Invalid(Inactive), [new("introspection", false, Inactive)]);
        }

        var verdict = new ClaimValidator(_options, _time.GetUtcNow(), introspected: true).Validate(claims.Value, login);
        return new(
            verdict.Entry is null ? Invalid(verdict.Why, verdict.IsFinal) : new LoginVerdict.Granted(verdict.Entry),
            [new("introspection", true, "the issuer says that it is active"), .. verdict.Checks]);
    }

    private static LoginVerdict Invalid(string why, bool isFinal = true) =>
        new LoginVerdict.Denied(LoginReason.TokenInvalid, why) { IsFinal = isFinal };

    private static (LoginVerdict Answer, TokenCheck Check) Wrong(string why, bool isFinal = true) =>
        (Invalid("signature: " + why, isFinal), new TokenCheck("signature", false, why));

    private static string KeyName(ReadToken token) => token.KeyId is { } id ? $"key \"{Shown(id)}\"" : "key";

    private static string Shown(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
