using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Listening;

/// <summary>Our certificate with its chain, as TLS sends it, and its channel binding (RFC 5929 §4).</summary>
public sealed class ServerCertificate
{
    private static readonly SslApplicationProtocol Smtp = new("smtp");

    private ServerCertificate(X509Certificate2 leaf, X509Certificate2Collection chain)
    {
        Leaf = leaf;
        ServerEndPoint = ChannelBinding.ServerEndPoint(leaf.SignatureAlgorithm.Value, leaf.RawData);
        Options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(leaf, chain, offline: true),
#pragma warning disable CA5398 // older versions are forbidden (RFC 8996), whatever the system would allow
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
            AllowRenegotiation = false,
            ApplicationProtocols = [Smtp], // asked only of a client that offers some; without a match the handshake fails (RFC 7301 §3.2)
            AllowTlsResume = true,
            ClientCertificateRequired = false,
            EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        };
    }

    public X509Certificate2 Leaf { get; }

    /// <summary>tls-server-end-point.</summary>
    public ReadOnlyMemory<byte> ServerEndPoint { get; }

    public SslServerAuthenticationOptions Options { get; }

    /// <summary>The leaf is first in the file, then the chain.</summary>
    /// <exception cref="CryptographicException">Not a certificate, or not its key.</exception>
    public static ServerCertificate Load(TlsOptions options)
    {
        var leaf = X509Certificate2.CreateFromPemFile(options.Certificate, options.Key);
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(options.Certificate);
        return new ServerCertificate(leaf, [.. all.Skip(1)]);
    }

    public static ServerCertificate Of(X509Certificate2 leaf) => new(leaf, []);
}
