namespace Sallyport.Server.Configuration;

public enum CertificateLogin
{
    /// <summary>The rfc822Name among the subject's alternative names.</summary>
    Email,

    /// <summary>Microsoft's user principal name there.</summary>
    PrincipalName,

    CommonName,

    /// <summary>From a file: fingerprint, login.</summary>
    FingerprintTable,
}

/// <summary>type = "certificate": holders of client certificates that [tls] client_ca verified.</summary>
public sealed record CertificateDirectoryOptions(string Name) : DirectoryOptions(Name)
{
    public CertificateLogin LoginFrom { get; init; } = CertificateLogin.Email;

    /// <summary>Lines of a SHA-256 fingerprint and a login.</summary>
    public string? FingerprintFile { get; init; }

    /// <summary>Lines of a login, or of "serial:" or "sha256:" and digits, that are no longer let in. Read again when it changes.</summary>
    public string? DisabledFile { get; init; }

    /// <summary>Another directory that says what the login may use.</summary>
    public string? LookUpIn { get; init; }
}
