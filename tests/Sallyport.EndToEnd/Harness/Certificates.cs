using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sallyport.EndToEnd.Harness;

/// <summary>A private CA and certificates from it, made afresh.</summary>
internal sealed class Certificates
{
    private readonly X509Certificate2 _ca;
    private readonly TestFolder _folder;

    public Certificates(TestFolder folder)
    {
        _folder = folder;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _ca = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        CaFile = folder.Write("ca.pem", _ca.ExportCertificatePem());
    }

    public string CaFile { get; }

    /// <summary>Certificate and key files for a host name and 127.0.0.1.</summary>
    public (string Certificate, string Key) Issue(string host, bool rsa = false, bool expired = false)
    {
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = key is RSA r
            ? new CertificateRequest("CN=" + host, r, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=" + host, (ECDsa)key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        var from = DateTimeOffset.UtcNow.AddDays(-1).AddHours(1);
        using var certificate = request.Create(_ca.SubjectName, X509SignatureGenerator.CreateForECDsa(_ca.GetECDsaPrivateKey()!),
            from, expired ? from.AddHours(1) : from.AddDays(20), RandomNumberGenerator.GetBytes(8));
        return (_folder.Write($"{host}.crt", certificate.ExportCertificatePem()),
            _folder.Write($"{host}.key", key.ExportPkcs8PrivateKeyPem()));
    }
}
