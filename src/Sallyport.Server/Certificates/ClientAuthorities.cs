using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Certificates;

/// <summary>
/// The authorities of [tls] client_ca, and their verdict on a client certificate: chain to one of them and to nobody else, validity, use
/// for client authentication, revocation where lists are given. Nothing is fetched from anywhere, and everything has a limit.
/// </summary>
public sealed class ClientAuthorities
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const int SentMax = 10;
    private const int CertificateBytesMax = 16 * 1024;
    private const int ChainMax = 6;
    private const int RememberedMax = 64;
    private static readonly TimeSpan VerifyMax = TimeSpan.FromSeconds(5);

    private readonly X509Certificate2Collection _known;
    private readonly RevocationLists? _revoked;
    private readonly Lock _gate = new();
    private ImmutableDictionary<string, X509Certificate2> _seen = ImmutableDictionary<string, X509Certificate2>.Empty;

    private ClientAuthorities(X509Certificate2Collection roots, X509Certificate2Collection intermediates, RevocationLists? revoked)
    {
        Roots = roots;
        _known = intermediates;
        _revoked = revoked;
    }

    public X509Certificate2Collection Roots { get; }

    /// <summary>When the last revocation list ends; null without lists.</summary>
    public DateTimeOffset? ListsEndAt => _revoked?.EndAt;

    /// <summary>Null without client_ca.</summary>
    /// <exception cref="CryptographicException">Not PEM, or no root in it, or lists that are none.</exception>
    public static ClientAuthorities? Load(TlsOptions options)
    {
        if (options.ClientCa is null)
        {
            return null;
        }

        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(options.ClientCa);
        X509Certificate2Collection roots = [.. all.Where(IsRoot)];
        return roots.Count > 0
            ? new ClientAuthorities(roots, [.. all.Where(one => !IsRoot(one))],
                options.ClientCrl is null ? null : RevocationLists.Load(options.ClientCrl))
            : throw new CryptographicException($"{options.ClientCa} has no root certificate, one that is its own issuer");
    }

    internal async Task<CertificateVerdict> VerifyAsync(ClientHandshake handshake, TimeProvider time)
    {
        try
        {
            return await Task.Run(() => Verify(handshake.Leaf!, handshake.Sent, time.GetUtcNow())).WaitAsync(VerifyMax, time);
        }
        catch (TimeoutException)
        {
            return new(null, "its verification takes too long");
        }
    }

    /// <summary>Never throws for what a client sent.</summary>
    public CertificateVerdict Verify(byte[] leaf, IReadOnlyList<byte[]> sent, DateTimeOffset now)
    {
        if (sent.Count > SentMax || leaf.Length > CertificateBytesMax || sent.Any(one => one.Length > CertificateBytesMax))
        {
            return new(null, $"it comes with more than {SentMax} others, or one is larger than {CertificateBytesMax / 1024} KiB");
        }

        X509Certificate2Collection others = [];
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(leaf);
            foreach (var one in sent)
            {
                others.Add(X509CertificateLoader.LoadCertificate(one));
            }

            return Verify(certificate, others, now);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or System.Formats.Asn1.AsnContentException)
        {
            return new(null, "it cannot be read: " + exception.Message);
        }
        finally
        {
            foreach (var one in others)
            {
                one.Dispose();
            }
        }
    }

    private CertificateVerdict Verify(X509Certificate2 certificate, X509Certificate2Collection sent, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Roots);
        chain.ChainPolicy.ExtraStore.AddRange(_known);
        chain.ChainPolicy.ExtraStore.AddRange(sent);
        chain.ChainPolicy.ExtraStore.AddRange(_seen.Values.ToArray());
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // no fetching; the lists given are asked below
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        if (!chain.Build(certificate))
        {
            return new(null, Trouble(chain, certificate, now));
        }

        if (chain.ChainElements.Count > ChainMax)
        {
            return new(null, $"its chain is longer than {ChainMax} certificates");
        }

        if (!certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().SelectMany(use => use.EnhancedKeyUsages.Cast<Oid>())
                .Any(use => use.Value == ClientAuthentication))
        {
            return new(null, "it is not meant for client authentication (extended key usage clientAuth)");
        }

        X509Certificate2[] path = [.. chain.ChainElements.Select(element => element.Certificate)];
        if (_revoked?.Trouble(path, now) is { } revoked)
        {
            return new(null, revoked);
        }

        Remember(path);
        return CertificateFacts.Read(certificate);
    }

    /// <summary>A resumed session brings its certificate and not the chain: what once led to our roots will again.</summary>
    private void Remember(X509Certificate2[] path)
    {
        foreach (var intermediate in path.Skip(1).Where(one => !IsRoot(one)))
        {
            lock (_gate)
            {
                if (_seen.Count < RememberedMax && !_seen.ContainsKey(intermediate.Thumbprint))
                {
                    _seen = _seen.Add(intermediate.Thumbprint, X509CertificateLoader.LoadCertificate(intermediate.RawData));
                }
            }
        }
    }

    private static string Trouble(X509Chain chain, X509Certificate2 certificate, DateTimeOffset now)
    {
        if (now > certificate.NotAfter)
        {
            return $"it expired {certificate.NotAfter.ToUniversalTime():u}";
        }

        if (now < certificate.NotBefore)
        {
            return $"it is not valid before {certificate.NotBefore.ToUniversalTime():u}";
        }

        var flags = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        return (flags & (X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot)) != 0
            ? $"no authority of client_ca has issued it, but \"{certificate.Issuer}\""
            : $"its chain is not right ({flags})";
    }

    private static bool IsRoot(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
}
