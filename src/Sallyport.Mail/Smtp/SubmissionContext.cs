using System.Collections.Immutable;

namespace Sallyport.Mail.Smtp;

/// <summary>What a session needs to know of the place it runs in.</summary>
/// <param name="Hostname">Our name in the greeting, EHLO and Received.</param>
/// <param name="StartTls">True where STARTTLS is offered.</param>
/// <param name="AuthWithoutTls">True only on a loopback listener with tls = "none".</param>
public sealed record SubmissionContext(
    string Hostname,
    bool StartTls,
    bool AuthWithoutTls,
    SmtpLimits Limits)
{
    /// <summary>SASL mechanisms the site can judge, strongest first; of these the session offers what its connection allows.</summary>
    public ImmutableArray<string> Mechanisms { get; init; } = Sasl.SaslServer.ByPassword;

    /// <summary>Told to a client whose token is refused; null where no tokens are taken.</summary>
    public Sasl.TokenService? TokenService { get; init; }
}

/// <summary>What the handshake gave.</summary>
/// <param name="Protocol">As in "TLSv1.3".</param>
/// <param name="CipherSuite">As OpenSSL and IANA name it.</param>
/// <param name="ServerEndPoint">tls-server-end-point channel binding (RFC 5929 §4), the hash of our certificate; empty when unknown.</param>
public sealed record TlsFacts(string Protocol, string CipherSuite, ReadOnlyMemory<byte> ServerEndPoint)
{
    /// <summary>The client's certificate, only when it was verified in full; null when there was none, or one that proves nothing.</summary>
    public ClientCertificate? Client { get; init; }

    /// <summary>Why a certificate that was presented proves nothing, for the log; empty otherwise.</summary>
    public string CertificateTrouble { get; init; } = "";
}

/// <summary>A verified client certificate: what it says of its holder.</summary>
/// <param name="Subject">The distinguished name, for the log.</param>
/// <param name="CommonName">The only CN of the subject; empty when it has none or several.</param>
/// <param name="Emails">Subject alternative names of type rfc822Name and SmtpUTF8Mailbox.</param>
/// <param name="PrincipalNames">Microsoft's user principal names among the alternative names.</param>
/// <param name="Serial">In hexadecimal.</param>
/// <param name="Fingerprint">SHA-256 of the certificate, 64 hexadecimal digits in upper case.</param>
public sealed record ClientCertificate(
    string Subject,
    string CommonName,
    ImmutableArray<string> Emails,
    ImmutableArray<string> PrincipalNames,
    string Serial,
    string Fingerprint);
