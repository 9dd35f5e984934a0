namespace Sallyport.Mail.Sasl;

/// <summary>
/// XOAUTH2 (Google's, before RFC 7628): user=login ^A auth=Bearer token ^A ^A. A refused token is answered with JSON first, to which the
/// client has nothing to say.
/// </summary>
internal sealed class XOAuth2Mechanism(int credentialBytesMax, int tokenBytesMax, TokenService? service) : ISaslMechanism
{
    private string _login = "";
    private bool _asked;

    public SaslStep Start(byte[]? initial) => initial is null ? new SaslStep.Challenge(default) : Receive(initial);

    public SaslStep Receive(byte[] response)
    {
        if (_asked)
        {
            return new SaslStep.Failed(_login);
        }

        _asked = true;
        if (TokenMessage.Read(response, ["user", "auth"]) is not { } pairs || !pairs.TryGetValue("user", out var user)
            || Credentials.Prepare(user) is not { } login)
        {
            return new SaslStep.Malformed();
        }

        _login = login;
        return TokenMessage.Ask(login, pairs, credentialBytesMax, tokenBytesMax);
    }

    public SaslStep TakeVerifier(ScramVerifier verifier, string serverNonce) => new SaslStep.Malformed();

    public SaslStep Granted() => new SaslStep.Done();

    public SaslStep.Challenge? Denied() => new(TokenMessage.Json(("status", "401"), ("schemes", "bearer"), ("scope", service?.Scope)));
}
