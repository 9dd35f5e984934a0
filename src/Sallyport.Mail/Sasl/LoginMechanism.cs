namespace Sallyport.Mail.Sasl;

/// <summary>LOGIN (draft-murchison-sasl-login): login, then password. Some clients send the login as initial response, some wait.</summary>
internal sealed class LoginMechanism(int credentialBytesMax) : ISaslMechanism
{
    private byte[]? _login;

    public SaslStep Start(byte[]? initial) =>
        initial is { Length: > 0 } ? Receive(initial) : new SaslStep.Challenge("Username:"u8.ToArray());

    public SaslStep Receive(byte[] response)
    {
        if (_login is not null)
        {
            return PasswordStep.Make(default, _login, response, credentialBytesMax);
        }

        _login = response;
        return new SaslStep.Challenge("Password:"u8.ToArray());
    }

    public SaslStep TakeVerifier(ScramVerifier verifier, string serverNonce) => new SaslStep.Malformed();

    public SaslStep Granted() => new SaslStep.Done();
}
