using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>Connects to a directory's server, and secures the connection with a certificate that is valid for it or not at all.</summary>
internal sealed class ServerConnector(ServerTrust trust)
{
    private readonly Lock _gate = new();
    private X509Certificate2Collection? _authorities;
    private DateTime _readAt;

#pragma warning disable CA2000 // What is opened is the caller's; when it does not come to that it is closed here.
    /// <summary>Connected, and under TLS where the address says so.</summary>
    /// <exception cref="DirectoryServerException">Not reachable, or not trusted.</exception>
    public async Task<Stream> OpenAsync(ServerAddress server, CancellationToken cancel)
    {
        var socket = server.Path is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await (server.Path is { } path
                ? socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel)
                : IPAddress.TryParse(server.Host, out var address) ? socket.ConnectAsync(address, server.Port, cancel)
                : socket.ConnectAsync(server.Host, server.Port, cancel));
            var stream = new NetworkStream(socket, ownsSocket: true);
            return server.ImplicitTls ? await SecureAsync(server, stream, cancel) : stream;
        }
        catch (Exception exception)
        {
            socket.Dispose();
            throw exception is SocketException or ArgumentException
                ? new DirectoryServerException("cannot connect: " + DisplayText.Sanitize(exception.Message))
                : exception;
        }
    }

    /// <summary>TLS as the client, in the versions the system allows.</summary>
    /// <exception cref="DirectoryServerException">No TLS, or a certificate that is not valid for the server.</exception>
    public async Task<Stream> SecureAsync(ServerAddress server, Stream stream, CancellationToken cancel)
    {
        var errors = SslPolicyErrors.None;
        var name = trust.TlsName ?? server.Host;
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = name,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                CertificateChainPolicy = trust.TlsCa is null ? null : OnlyTrust(trust.TlsCa),
                RemoteCertificateValidationCallback = (_, _, _, found) => (errors = found) == SslPolicyErrors.None,
            }, cancel);
            return tls;
        }
        catch (Exception exception)
        {
            await tls.DisposeAsync();
            throw exception is AuthenticationException or IOException or CryptographicException or UnauthorizedAccessException
                ? new DirectoryServerException("no trusted TLS: " + (errors == SslPolicyErrors.None ? Innermost(exception) : Explain(errors, name)))
                : exception;
        }
    }

#pragma warning restore CA2000

    /// <summary>For logs and steps: "TLS 1.3", or "" without TLS.</summary>
    public static string Describe(Stream stream) => stream is SslStream tls
        ? tls.SslProtocol.ToString() switch { "Tls12" => "TLS 1.2", "Tls13" => "TLS 1.3", var other => other }
        : "";

    public static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return DisplayText.Sanitize(exception.Message);
    }

    /// <summary>The file is read again when it has changed.</summary>
    private X509ChainPolicy OnlyTrust(string file)
    {
        lock (_gate)
        {
            var changed = File.GetLastWriteTimeUtc(file);
            if (_authorities is null || changed != _readAt)
            {
                (_authorities, _readAt) = (AuthorityFile.Read(file), changed);
            }

            return AuthorityFile.OnlyTrust(_authorities);
        }
    }

    private static string Explain(SslPolicyErrors errors, string name) =>
        errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"its certificate is not for {name}"
        : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? "its certificate is not from an authority trusted here, or not valid now"
        : "it showed no certificate";
}
