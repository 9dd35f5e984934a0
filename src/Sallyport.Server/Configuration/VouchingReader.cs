using System.Net;

namespace Sallyport.Server.Configuration;

/// <summary>A [[directory]] of type oidc or certificate.</summary>
internal static class VouchingReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public static OidcDirectoryOptions? Oidc(Section section, string name, ConfiguredFiles paths)
    {
        var d = new OidcDirectoryOptions(name) { Issuer = "" };
        var issuer = section.RequiredText("issuer", "https://login.acme.test/realms/acme");
        CheckIssuer(section, issuer);
        var secret = paths.NamedSecret(section, "client_secret");
        var options = new OidcDirectoryOptions(name)
        {
            Issuer = issuer ?? "",
            Audiences = Texts(section, "audience", default),
            Scopes = new([.. Texts(section, "scope", default).SelectMany(scope => scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))]),
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
            TlsCa = section.Text("tls_ca") is { } ca ? CertificateReader.Authorities(section, paths, "tls_ca", ca) : null,
            Timeout = section.Time("timeout", d.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(20)),
            KeysRefresh = section.Time("keys_refresh", d.KeysRefresh, Minute, TimeSpan.FromDays(1)),
            KeysRefreshMin = section.Time("keys_refresh_min", d.KeysRefreshMin, Second, 10 * Minute),
            LookUpIn = section.Text("lookup"),
        };
        CheckTogether(section, options, d);
        return issuer is null ? null : options;
    }

    public static CertificateDirectoryOptions Certificate(Section section, string name, ConfiguredFiles paths)
    {
        var from = section.Choice("login_from", ("email", CertificateLogin.Email), ("upn", CertificateLogin.PrincipalName),
            ("cn", CertificateLogin.CommonName), ("fingerprint", CertificateLogin.FingerprintTable)) ?? CertificateLogin.Email;
        var table = section.Text("fingerprint_file");
        var disabled = section.Text("disabled_file");
        if ((from == CertificateLogin.FingerprintTable) == (table is null))
        {
            section.Report("fingerprint_file", table is null
                ? "is missing: login_from = \"fingerprint\" needs the file that says whose each certificate is"
                : "has a meaning only with login_from = \"fingerprint\"");
        }

        return new CertificateDirectoryOptions(name)
        {
            LoginFrom = from,
            FingerprintFile = table is null ? null : paths.MustExist(section, "fingerprint_file", table),
            DisabledFile = disabled is null ? null : paths.MustExist(section, "disabled_file", disabled),
            LookUpIn = section.Text("lookup"),
        };
    }

    /// <summary>What one entry cannot tell: whether the directory it points to exists, and whether certificates are asked for.</summary>
    public static void CheckWhole(ServerOptions options, Action<string, string> report)
    {
        string[] names = [.. options.Directories.Select(directory => directory.Name), "local"];
        foreach (var directory in options.Directories)
        {
            var lookup = directory switch
            {
                OidcDirectoryOptions oidc => oidc.LookUpIn,
                CertificateDirectoryOptions certificate => certificate.LookUpIn,
                _ => null,
            };
            if (lookup is not null && (lookup == directory.Name || !names.Contains(lookup)))
            {
                report("directory.lookup", $"\"{lookup}\" of {directory.Name} is no other directory" + Section.Guess(lookup, names));
            }
        }

        if (options.Directories.OfType<CertificateDirectoryOptions>().Any() && options.Tls?.ClientCa is null)
        {
            report("directory.type", "\"certificate\" needs client_ca in [tls]: the authority whose client certificates count");
        }
    }

    /// <summary>https, or http to this machine: what is trusted must not come over a wire anybody can write to.</summary>
    public static bool IsTrustworthy(Uri uri) => uri.Scheme == Uri.UriSchemeHttps
        || (uri.Scheme == Uri.UriSchemeHttp && (uri.Host == "localhost" || IsLoopback(uri.Host)));

    private static bool IsLoopback(string host) => IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address);

    private static void CheckIssuer(Section section, string? issuer)
    {
        if (issuer is not null && (!Uri.TryCreate(issuer, UriKind.Absolute, out var uri) || !IsTrustworthy(uri)
            || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0))
        {
            section.Report("issuer",
                $"\"{issuer}\" is no issuer: it must be the https:// address the tokens have in \"iss\" (http:// to loopback only)");
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
            section.Report(key, $"has a meaning only with judge = \"{(options.Introspection ? "jwt" : "introspection")}\"");
        }
    }

    private static bool HasSecret(Section section) => section.Has("client_secret_file") || section.Has("client_secret_env");

    private static TextList Texts(Section section, string key, TextList otherwise) =>
        section.Has(key) ? new([.. section.Texts(key).Select(text => text.Text)]) : otherwise;
}
