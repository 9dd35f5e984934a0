using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sallyport.Tests.Server.Certificates;

/// <summary>A private authority: certificates of every kind, right and wrong, and revocation lists.</summary>
internal sealed class TestAuthority : IDisposable
{
    public const string ClientAuth = "1.3.6.1.5.5.7.3.2";
    public const string ServerAuth = "1.3.6.1.5.5.7.3.1";

    public static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private TestAuthority(X509Certificate2 certificate) => Certificate = certificate;

    public X509Certificate2 Certificate { get; }

    public static TestAuthority Root(string name = "Acme Client CA")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = NewAuthority(name, key);
        return new TestAuthority(request.CreateSelfSigned(Now.AddYears(-1), Now.AddYears(5)));
    }

    public TestAuthority Below(string name)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new TestAuthority(Sign(NewAuthority(name, key), Now.AddYears(-1), Now.AddYears(3)).CopyWithPrivateKey(key));
    }

    public X509Certificate2 Issue(string subject, Action<SubjectAlternativeNameBuilder>? names = null, string? use = ClientAuth,
        DateTimeOffset? from = null, DateTimeOffset? until = null, X509Extension? extra = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            names(builder);
            request.CertificateExtensions.Add(builder.Build());
        }

        if (use is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        }

        if (extra is not null)
        {
            request.CertificateExtensions.Add(extra);
        }

        return Sign(request, from ?? Now.AddDays(-1), until ?? Now.AddDays(90)).CopyWithPrivateKey(key);
    }

    public string Crl(DateTimeOffset until, params X509Certificate2[] revoked)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (var certificate in revoked)
        {
            list.AddEntry(certificate);
        }

        var identifier = X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, false, true);
        var octets = list.Build(Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(Certificate.GetECDsaPrivateKey()!), 1, until,
            HashAlgorithmName.SHA256, identifier, until.AddDays(-30));
        return PemEncoding.WriteString("X509 CRL", octets);
    }

    public void Dispose() => Certificate.Dispose();

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset from, DateTimeOffset until) => request.Create(
        Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(Certificate.GetECDsaPrivateKey()!), from, until,
        RandomNumberGenerator.GetBytes(8));

    private static CertificateRequest NewAuthority(string name, ECDsa key)
    {
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }
}
