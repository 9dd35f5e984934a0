using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>A [[directory]] with type = "oidc": access tokens of an OpenID provider.</summary>
internal static class OidcReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public static OidcDirectoryOptions? Read(Section section, string name, ConfiguredFiles paths)
    {
        var d = new OidcDirectoryOptions(name) { Issuer = "" };
        var issuer = section.RequiredText("issuer", "https://login.acme.test/realms/acme");
        CheckIssuer(section, issuer);
        var secret = paths.NamedSecret(section, "client_secret");
        var options = new OidcDirectoryOptions(name)
        {
            Issuer = issuer ?? "",
            Audiences = Texts(section, "audience", []),
            Scopes = [.. Texts(section, "scope", []).SelectMany(scope => scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))],
            LoginClaim = section.Text("login_claim") ?? d.LoginClaim,
            VerifiedEmail = section.Flag("email_verified", d.VerifiedEmail),
            AddressClaims = Texts(section, "address_claims", d.AddressClaims),
            GroupsClaim = section.Text("groups_claim"),
            Algorithms = Texts(section, "algorithms", d.Algorithms),
            ClockSkew = section.Time("clock_skew", d.ClockSkew, TimeSpan.Zero, 5 * Minute),
            Introspection = section.Choice("judge", ("jwt", false), ("introspection", true)) ?? false,
            ClientId = section.Text("client_id"),
            ClientSecret = secret,
            IntrospectionCache = section.Time("introspection_cache", d.IntrospectionCache, TimeSpan.Zero, 15 * Minute),
            TlsCa = section.Text("tls_ca") is { } ca ? TlsReader.Authorities(section, paths, "tls_ca", ca) : null,
            Timeout = section.Time("timeout", d.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20)),
            KeysRefresh = section.Time("keys_refresh", d.KeysRefresh, Minute, TimeSpan.FromDays(1)),
            KeysRefreshMin = section.Time("keys_refresh_min", d.KeysRefreshMin, Second, 10 * Minute),
            LookUpIn = section.Text("lookup"),
        };
        CheckTogether(section, options, d);
        return issuer is null ? null : options;
    }

    private static void CheckIssuer(Section section, string? issuer)
    {
        if (issuer is not null && (!Uri.TryCreate(issuer, UriKind.Absolute, out var uri) || !LoopbackHost.IsTrustworthy(uri)
            || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0))
        {
            section.Report("issuer",
                $"\"{issuer}\" is not an issuer: it must be the https:// address the tokens have in \"iss\" (http:// to loopback only)");
        }
    }

    private static void CheckTogether(Section section, OidcDirectoryOptions options, OidcDirectoryOptions d)
    {
        foreach (var unknown in options.Algorithms.Where(name => !d.Algorithms.Contains(name)))
        {
            section.Report("algorithms", $"\"{unknown}\" is not taken: {d.Algorithms} are" + Section.Guess(unknown, d.Algorithms));
        }

        if (!options.Introspection && options.Audiences.Count == 0)
        {
            section.Report(section.LineOf("audience"), "audience",
                "is missing: without it a token made for any other service of this issuer would be a login here");
        }

        if (options.Introspection && (options.ClientId is null || (options.ClientSecret is null && !HasSecret(section))))
        {
            section.Report("judge", "\"introspection\" needs client_id, and client_secret_file or client_secret_env");
        }

        string[] strange = options.Introspection ? ["algorithms", "keys_refresh", "keys_refresh_min"] : ["client_id", "client_secret_file",
            "client_secret_env", "introspection_cache"];
        foreach (var key in strange.Where(section.Has))
        {
            section.Report(key, $"is only valid with judge = \"{(options.Introspection ? "jwt" : "introspection")}\"");
        }
    }

    private static bool HasSecret(Section section) => section.Has("client_secret_file") || section.Has("client_secret_env");

    private static ValueList<string> Texts(Section section, string key, ValueList<string> otherwise) =>
        section.Has(key) ? [.. section.Texts(key).Select(text => text.Text)] : otherwise;
}
