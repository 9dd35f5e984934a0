using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Oidc;

/// <summary>What the claims come to.</summary>
/// <param name="Entry">Null when a check failed.</param>
/// <param name="Until">When the claims end; null when they do not say.</param>
internal sealed record ClaimVerdict(DirectoryEntry? Entry, ImmutableArray<TokenCheck> Checks, DateTimeOffset? Until)
{
    /// <summary>False where only the time is to come from which it holds.</summary>
    public bool IsFinal => Checks.Any(check => check is { Passed: false, Check: not NotBefore });

    internal const string NotBefore = "not before";

    public string Why => Checks.FirstOrDefault(check => check.Passed == false) is { } failed ? $"{failed.Check}: {failed.Because}" : "";
}

/// <summary>
/// Claims against the configuration (RFC 7519 §4.1, RFC 7662 §2.2), each check with its outcome, so that the log, auth-test and the
/// session say the same. Pure: whether the claims may be believed is another's question.
/// </summary>
internal sealed class ClaimValidator(OidcDirectoryOptions options, DateTimeOffset now, bool introspected)
{
    private const int ShownMax = 200;
    private const int ItemsMax = 1000;
    private static readonly DateTimeOffset TimeMax = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ImmutableArray<TokenCheck>.Builder _checks = ImmutableArray.CreateBuilder<TokenCheck>();

    /// <param name="hint">Whom the client says the token is for, prepared; null when it does not say.</param>
    public ClaimVerdict Validate(JsonElement claims, string? hint)
    {
        CheckIssuer(claims);
        CheckAudience(claims);
        var until = CheckTimes(claims);
        CheckScopes(claims);
        var login = CheckLogin(claims);
        if (login is not null && hint is not null)
        {
            Add("login of the client", hint == login, hint == login
                ? $"{hint}, as in the token"
                : $"the client says {Shown(hint)}, the token is for {Shown(login)}");
        }

        if (login is null || _checks.Any(check => check.Passed == false))
        {
            return new ClaimVerdict(null, _checks.ToImmutable(), until);
        }

        var entry = new DirectoryEntry(login, options.Name, Addresses(claims, login),
            options.GroupsClaim is { } groups ? [.. Texts(claims, groups).Distinct(StringComparer.Ordinal)] : []);
        Add("addresses", null, entry.Addresses.IsEmpty ? "none" : string.Join(", ", entry.Addresses.Take(10)));
        return new ClaimVerdict(entry, _checks.ToImmutable(), until);
    }

    private void CheckIssuer(JsonElement claims)
    {
        var issuer = ReadToken.Text(claims, "iss");
        Add("issuer", issuer == options.Issuer || (introspected && issuer is null), issuer is null
            ? introspected ? "not named in the answer, which came from it" : "the token names none"
            : issuer == options.Issuer ? issuer : $"{Shown(issuer)}, not {options.Issuer}");
    }

    private void CheckAudience(JsonElement claims)
    {
        var named = Texts(claims, "aud").ToList();
        var wanted = string.Join(" or ", options.Audiences);
        var shown = named.Count == 0 ? "the token names none" : Shown(string.Join(", ", named));
        if (options.Audiences.Count == 0)
        {
            Add("audience", null, $"{shown}; none is asked for");
            return;
        }

        var passed = named.Any(one => options.Audiences.Contains(one));
        Add("audience", passed, passed ? shown : $"{shown}, not {wanted}");
    }

    private DateTimeOffset? CheckTimes(JsonElement claims)
    {
        var until = Time(claims, "exp", out var expWrong);
        Add("expires", !expWrong && (until is null ? introspected : now < until + options.ClockSkew), expWrong ? "\"exp\" is no time"
            : until is null ? introspected ? "the answer does not say when" : "the token never does, which is not taken"
            : $"{Show(until.Value)}{(now < until + options.ClockSkew ? "" : $", and now it is {Show(now)}")}");
        var from = Time(claims, "nbf", out var nbfWrong);
        if (from is not null || nbfWrong)
        {
            var passed = !nbfWrong && from - options.ClockSkew <= now;
            Add(ClaimVerdict.NotBefore, passed, nbfWrong
                ? "\"nbf\" is no time" : $"{Show(from!.Value)}{(passed ? "" : $", and now it is {Show(now)}")}");
        }

        return until;
    }

    /// <summary>"scope" as RFC 8693 §4.2 has it, "scp" as Microsoft does.</summary>
    private void CheckScopes(JsonElement claims)
    {
        if (options.Scopes.Count == 0)
        {
            return;
        }

        string[] has = [.. Texts(claims, "scope").Concat(Texts(claims, "scp")).SelectMany(text => text.Split(' '))];
        string[] missing = [.. options.Scopes.Where(scope => !has.Contains(scope))];
        Add("scope", missing.Length == 0, missing.Length == 0
            ? options.Scopes.ToString()
            : $"{string.Join(" and ", missing)} is missing; the token has {(has.Length == 0 ? "none" : Shown(string.Join(' ', has)))}");
    }

    private string? CheckLogin(JsonElement claims)
    {
        var name = options.LoginClaim;
        var login = ReadToken.Text(claims, name) is { } text ? Credentials.PrepareLogin(text) : null;
        if (login is null)
        {
            Add("login", false, $"the token has no claim \"{name}\" that could be one");
            return null;
        }

        var verified = name != "email" || !options.VerifiedEmail || IsTrue(claims, "email_verified");
        Add("login", verified, verified
            ? $"{Shown(login)}, from the claim \"{name}\""
            : $"{Shown(login)} is not verified: \"email_verified\" is not true in the token");
        return verified ? login : null;
    }

    /// <summary>The login, when it is an address, and those in the claims. An email the issuer did not verify counts for nothing.</summary>
    private ImmutableArray<string> Addresses(JsonElement claims, string login) =>
    [
        .. options.AddressClaims
            .Where(claim => claim != "email" || !options.VerifiedEmail || IsTrue(claims, "email_verified"))
            .SelectMany(claim => Texts(claims, claim)).Prepend(login)
            .Select(address => MailboxParser.TryParse(address, out var mailbox) ? mailbox!.Canonical : null)
            .OfType<string>().Distinct(StringComparer.Ordinal),
    ];

    private void Add(string check, bool? passed, string because) => _checks.Add(new TokenCheck(check, passed, because));

    /// <summary>One text or a list of them.</summary>
    private static IEnumerable<string> Texts(JsonElement claims, string name) => !claims.TryGetProperty(name, out var value)
        ? []
        : value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array => value.EnumerateArray().Take(ItemsMax).Where(item => item.ValueKind == JsonValueKind.String)
                .Select(item => item.GetString()!),
            _ => [],
        };

    /// <summary>true, or "true" as some issuers write it.</summary>
    private static bool IsTrue(JsonElement claims, string name) => claims.TryGetProperty(name, out var value)
        && (value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && value.GetString() == "true"));

    /// <summary>NumericDate (RFC 7519 §2).</summary>
    private static DateTimeOffset? Time(JsonElement claims, string name, out bool wrong)
    {
        wrong = false;
        if (!claims.TryGetProperty(name, out var value))
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds >= 0
            && seconds < TimeMax.ToUnixTimeSeconds())
        {
            return DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        }

        wrong = true;
        return null;
    }

    /// <summary>When the token says it was issued; null when it does not.</summary>
    public static DateTimeOffset? IssuedAt(JsonElement claims) => Time(claims, "iat", out _);

    private static string Show(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Shown(string text) => text.Length <= ShownMax ? text : text[..ShownMax] + "…";
}
