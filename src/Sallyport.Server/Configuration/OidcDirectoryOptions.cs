using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

/// <summary>type = "oidc": access tokens of one issuer, judged by its published keys or by asking it (RFC 7662).</summary>
public sealed record OidcDirectoryOptions(string Name) : DirectoryOptions(Name)
{
    /// <summary>Exactly as the tokens name it; its discovery document lies below it.</summary>
    public required string Issuer { get; init; }

    /// <summary>Of these the token must name one. Empty only with introspection.</summary>
    public ValueList<string> Audiences { get; init; }

    /// <summary>All of these the token must have.</summary>
    public ValueList<string> Scopes { get; init; }

    /// <summary>The claim that is the login.</summary>
    public string LoginClaim { get; init; } = "email";

    /// <summary>An email claim counts only with email_verified.</summary>
    public bool VerifiedEmail { get; init; } = true;

    /// <summary>Claims with addresses the login may send as, besides the login itself.</summary>
    public ValueList<string> AddressClaims { get; init; } = ["email"];

    public string? GroupsClaim { get; init; }

    /// <summary>Signature algorithms taken; never none, never a shared secret.</summary>
    public ValueList<string> Algorithms { get; init; } = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"];

    /// <summary>How far the issuer's clock may be off.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>True: the issuer is asked about each token. False: its keys judge them here.</summary>
    public bool Introspection { get; init; }

    public string? ClientId { get; init; }

    /// <summary>Read from the file or environment variable named in the configuration; never written anywhere.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>How long an answer "active" holds.</summary>
    public TimeSpan IntrospectionCache { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>PEM file with the only authorities to trust for the issuer's servers; the system's when null.</summary>
    public string? TlsCa { get; init; }

    /// <summary>For one request to the issuer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Keys are fetched again after this time, so that a withdrawn one is noticed.</summary>
    public TimeSpan KeysRefresh { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A token with an unknown key makes us fetch again, at most this often.</summary>
    public TimeSpan KeysRefreshMin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Another directory that says what the login may use.</summary>
    public string? LookUpIn { get; init; }

    // The compiler's version would print the secret.
    public override string ToString() => $"directory {Name} ({Issuer})";
}
