namespace Sallyport.Mail.Sasl;

/// <summary>What a server mechanism wants next.</summary>
public abstract record SaslStep
{
    private SaslStep()
    {
    }

    /// <summary>Send this, still without base64, and bring back the answer.</summary>
    public sealed record Challenge(ReadOnlyMemory<byte> Octets) : SaslStep;

    public sealed record AskPassword(string Login, string AuthorizationIdentity, string Password) : SaslStep
    {
        public override string ToString() => "AskPassword";
    }

    public sealed record AskVerifier(string Login, string AuthorizationIdentity) : SaslStep;

    /// <summary>The exchange is another server's: bring it this response.</summary>
    public sealed record AskExchange(ReadOnlyMemory<byte> Response) : SaslStep;

    /// <param name="Keys">The name of the keys that proved it; empty for the verifier's own.</param>
    public sealed record AskGrant(string Login, string AuthorizationIdentity, string Keys = "") : SaslStep;

    /// <param name="Login">Whom the client says the token is for; empty when the token alone says it.</param>
    public sealed record AskToken(string Login, string Token) : SaslStep
    {
        public override string ToString() => "AskToken";
    }

    /// <summary>Ask who the certificate of the TLS handshake is. Empty identity: whoever it says.</summary>
    public sealed record AskCertificate(string AuthorizationIdentity) : SaslStep;

    /// <summary>The exchange proved what it had to; nothing is left to say.</summary>
    public sealed record Done : SaslStep;

    /// <summary>Not the mechanism's grammar: 501.</summary>
    public sealed record Malformed : SaslStep;

    /// <summary>Wrong secret, wrong binding or no usable credentials: 535.</summary>
    public sealed record Failed(string Login) : SaslStep;
}

/// <summary>A SASL mechanism on the server's side (RFC 4422), as a step function. One object serves one attempt.</summary>
public interface ISaslMechanism
{
    /// <summary>Null when the client gave no initial response.</summary>
    SaslStep Start(byte[]? initial);

    SaslStep Receive(byte[] response);

    /// <summary>The answer to <see cref="SaslStep.AskVerifier"/>.</summary>
    SaslStep TakeVerifier(ScramVerifier verifier, string serverNonce);

    /// <summary>
    /// Another answer to <see cref="SaslStep.AskVerifier"/>, and the one to <see cref="SaslStep.AskExchange"/>: another server leads the
    /// exchange, and this is its challenge.
    /// </summary>
    SaslStep TakeChallenge(ReadOnlyMemory<byte> octets) => new SaslStep.Malformed();

    /// <summary>After a question about a login was answered with a grant.</summary>
    SaslStep Granted();

    /// <summary>After it was answered with a no: what is still to be said before the 535; null when 535 says it all.</summary>
    SaslStep.Challenge? Denied() => null;
}
