using System.Net.Security;

namespace Sallyport.Server.Certificates;

/// <summary>What is spoken under TLS (ALPN, RFC 7301), by purpose of a listener.</summary>
internal static class ApplicationProtocols
{
    /// <summary>Asked only of a client that offers some; without a match the handshake fails (RFC 7301 §3.2).</summary>
    public static List<SslApplicationProtocol> Submission { get; } = [new("smtp")];
}
