namespace Sallyport.Mail.Sasl;

/// <summary>EXTERNAL (RFC 4422 appendix A): the certificate of the TLS handshake says who it is; the client may name whom it acts for.</summary>
internal sealed class ExternalMechanism(int credentialBytesMax) : ISaslMechanism
{
    private bool _asked;

    public SaslStep Start(byte[]? initial) => initial is null ? new SaslStep.Challenge(default) : Receive(initial);

    public SaslStep Receive(byte[] response)
    {
        if (_asked || response.AsSpan().Contains((byte)0))
        {
            return new SaslStep.Malformed();
        }

        _asked = true;
        var identity = response.Length > credentialBytesMax ? null : Credentials.Prepare(response);
        return identity is null ? new SaslStep.Failed("") : new SaslStep.AskCertificate(identity);
    }

    public SaslStep TakeVerifier(ScramVerifier verifier, string serverNonce) => new SaslStep.Malformed();

    public SaslStep Granted() => new SaslStep.Done();
}
