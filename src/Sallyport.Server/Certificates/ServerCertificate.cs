using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Certificates;

/// <summary>Our certificate with its chain, as TLS sends it, and its channel binding (RFC 5929 §4).</summary>
public sealed class ServerCertificate
{
    private readonly SslStreamCertificateContext _plain;
    private readonly SslStreamCertificateContext? _asking;

    private ServerCertificate(X509Certificate2 leaf, X509Certificate2Collection chain, ClientAuthorities? clients)
    {
        Leaf = leaf;
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().ToList();
        HostNames = names.Count > 0 ? [.. names.SelectMany(one => one.EnumerateDnsNames())] : [leaf.GetNameInfo(X509NameType.SimpleName, false)];
        ServerEndPoint = ChannelBinding.ServerEndPoint(leaf.SignatureAlgorithm.Value, leaf.RawData);
        Clients = clients;

        // One context each, so that a session begun where no certificate is asked for is not resumed where one is.
        _plain = SslStreamCertificateContext.Create(leaf, chain, offline: true);
        _asking = clients is null ? null : SslStreamCertificateContext.Create(
            leaf, chain, offline: true, SslCertificateTrust.CreateForX509Collection(clients.Roots, sendTrustInHandshake: true));
    }

    public X509Certificate2 Leaf { get; }

    /// <summary>The DNS names it is for, wildcards as they are; its common name where it has no alternative names.</summary>
    public IReadOnlyList<string> HostNames { get; }

    /// <summary>tls-server-end-point.</summary>
    public ReadOnlyMemory<byte> ServerEndPoint { get; }

    /// <summary>Who judges client certificates; null where none are asked for.</summary>
    public ClientAuthorities? Clients { get; }

    /// <param name="handshake">Keeps the certificate the client shows; null where none is asked for.</param>
    /// <param name="protocols">What is spoken inside, one of <see cref="ApplicationProtocols"/>.</param>
    internal SslServerAuthenticationOptions OptionsFor(ClientHandshake? handshake, List<SslApplicationProtocol> protocols)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = handshake is null ? _plain : _asking,
#pragma warning disable CA5398 // older versions are forbidden (RFC 8996), whatever the system would allow
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
            AllowRenegotiation = false,
            ApplicationProtocols = protocols,
            AllowTlsResume = true,
            ClientCertificateRequired = handshake is not null, // asked for, and required only as far as our callback says
            EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        };
        if (handshake is not null)
        {
            // The framework only takes the chain apart, without fetching anything; the verdict is ClientAuthorities'.
            options.RemoteCertificateValidationCallback = handshake.Take;
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationFlags = X509VerificationFlags.AllFlags,
                DisableCertificateDownloads = true,
            };
        }

        return options;
    }

    /// <summary>Null without [tls].</summary>
    /// <exception cref="StartException">Not a certificate, or not its key.</exception>
    public static ServerCertificate? Load(ServerOptions options)
    {
        try
        {
            return options.Tls is null ? null : Load(options.Tls);
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartException(
                $"The certificate {options.Tls!.Certificate} with the key {options.Tls.Key} cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>The leaf is first in the file, then the chain.</summary>
    /// <exception cref="CryptographicException">Not a certificate, or not its key, or no client authorities.</exception>
    public static ServerCertificate Load(TlsOptions options)
    {
        var leaf = X509Certificate2.CreateFromPemFile(options.Certificate, options.Key);
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(options.Certificate);
        return new ServerCertificate(leaf, [.. all.Skip(1)], ClientAuthorities.Load(options));
    }

    public static ServerCertificate Of(X509Certificate2 leaf) => new(leaf, [], null);
}
