using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>
/// libldap refuses a wrong certificate without telling what is wrong with it. The handshake is made once more with the framework's
/// TLS, which does tell; nothing is sent over it.
/// </summary>
internal static class LdapTls
{
    private static readonly string[] Bundles =
    [
        Environment.GetEnvironmentVariable("SSL_CERT_FILE") ?? "", "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/cert.pem",
    ];

    // StartTLS (RFC 4511 §4.14.1) with message id 1, as it is always written.
    private static readonly byte[] StartTlsRequest = [0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16, .. "1.3.6.1.4.1.1466.20037"u8];

    /// <summary>Where the system keeps the authorities it trusts.</summary>
    public static string SystemAuthorities => Bundles.FirstOrDefault(File.Exists) ?? Bundles[1];

    public static string WhyItFailed(LdapServerAddress server, LdapDirectoryOptions options, LdapDeadline deadline)
    {
        try
        {
            using var limit = new CancellationTokenSource(deadline.Left, deadline.Time);
            return TryAsync(server, options, limit.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            return "the handshake did not end in time";
        }
        catch (Exception exception) when (exception is IOException or SocketException or AuthenticationException or CryptographicException)
        {
            return exception.InnerException?.Message ?? exception.Message;
        }
    }

    private static async Task<string> TryAsync(LdapServerAddress server, LdapDirectoryOptions options, CancellationToken cancel)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Host, server.Port, cancel);
        await using var plain = new NetworkStream(socket);
        if (!server.ImplicitTls)
        {
            await plain.WriteAsync(StartTlsRequest, cancel);
            if (await plain.ReadAsync(new byte[512], cancel) == 0)
            {
                return "the server closed the connection when asked for StartTLS";
            }
        }

        var errors = SslPolicyErrors.None;
        var status = "";
        await using var tls = new SslStream(plain);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = server.Host,
                CertificateChainPolicy = OnlyTrust(options.TlsCa),
                RemoteCertificateValidationCallback = (_, _, chain, found) =>
                {
                    errors = found;
                    status = string.Join(", ", (chain?.ChainStatus ?? []).Select(one => one.Status).Distinct());
                    return true;
                },
            },
            cancel);
        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"its certificate is not for {server.Host}"
            : errors != SslPolicyErrors.None
                ? $"its certificate is not from an authority in {options.TlsCa ?? SystemAuthorities}, or not valid now ({status})"
            : "libldap does not agree with the server's TLS";
    }

    private static X509ChainPolicy? OnlyTrust(string? file) => file is null ? null : AuthorityFile.OnlyTrust(AuthorityFile.Read(file));
}
