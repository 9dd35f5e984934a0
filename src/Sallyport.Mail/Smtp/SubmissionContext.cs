using System.Collections.Immutable;

namespace Sallyport.Mail.Smtp;

/// <summary>What a session needs to know of the place it runs in.</summary>
/// <param name="Hostname">Our name in the greeting, EHLO and Received.</param>
/// <param name="TlsAtStart">True on an implicit-TLS listener: the handshake is over before the greeting.</param>
/// <param name="StartTls">True where STARTTLS is offered.</param>
/// <param name="AuthWithoutTls">True only on a loopback listener with tls = "none".</param>
/// <param name="ClientAddress">The client's address as text, for replies and Received.</param>
public sealed record SubmissionContext(
    string Hostname,
    bool TlsAtStart,
    bool StartTls,
    bool AuthWithoutTls,
    string ClientAddress,
    SmtpLimits Limits)
{
    /// <summary>SASL mechanisms the site can judge, strongest first; of these the session offers what its connection allows.</summary>
    public ImmutableArray<string> Mechanisms { get; init; } = Sasl.SaslServer.ByPassword;
}

/// <summary>What the handshake gave.</summary>
/// <param name="Protocol">As in "TLSv1.3".</param>
/// <param name="CipherSuite">As OpenSSL and IANA name it.</param>
/// <param name="ServerEndPoint">tls-server-end-point channel binding (RFC 5929 §4), the hash of our certificate; empty when unknown.</param>
public sealed record TlsFacts(string Protocol, string CipherSuite, ReadOnlyMemory<byte> ServerEndPoint);
