using System.Security.Cryptography.X509Certificates;

namespace Sallyport.Server.Configuration;

/// <summary>A PEM file with the only authorities to trust, as tls_ca names it.</summary>
public static class AuthorityFile
{
    /// <exception cref="System.Security.Cryptography.CryptographicException">It has no PEM certificates in it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static X509Certificate2Collection Read(string file)
    {
        X509Certificate2Collection authorities = [];
        authorities.ImportFromPemFile(file);
        return authorities;
    }

    /// <summary>Trusts these and nobody else; no list of revoked certificates is fetched.</summary>
    public static X509ChainPolicy OnlyTrust(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }
}
