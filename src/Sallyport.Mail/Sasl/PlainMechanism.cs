namespace Sallyport.Mail.Sasl;

/// <summary>PLAIN (RFC 4616): [authzid] NUL authcid NUL password, exactly two NULs.</summary>
internal sealed class PlainMechanism(int credentialBytesMax) : ISaslMechanism
{
    public SaslStep Start(byte[]? initial) => initial is null ? new SaslStep.Challenge(default) : Receive(initial);

    public SaslStep Receive(byte[] response)
    {
        var first = response.AsSpan().IndexOf((byte)0);
        var second = first < 0 ? -1 : response.AsSpan(first + 1).IndexOf((byte)0);
        if (second < 0 || response.AsSpan(first + second + 2).Contains((byte)0))
        {
            return new SaslStep.Malformed();
        }

        return PasswordStep.Make(response.AsSpan(0, first), response.AsSpan(first + 1, second),
            response.AsSpan(first + second + 2), credentialBytesMax);
    }

    public SaslStep TakeVerifier(ScramVerifier verifier, string serverNonce) => new SaslStep.Malformed();

    public SaslStep Granted() => new SaslStep.Done();
}

/// <summary>What PLAIN and LOGIN end in.</summary>
internal static class PasswordStep
{
    public static SaslStep Make(
        ReadOnlySpan<byte> authorizationIdentity, ReadOnlySpan<byte> login, ReadOnlySpan<byte> password, int credentialBytesMax)
    {
        if (login.IsEmpty || password.IsEmpty)
        {
            return new SaslStep.Malformed();
        }

        var tooLong = login.Length > credentialBytesMax || password.Length > credentialBytesMax;
        var loginText = tooLong ? null : Credentials.Prepare(login);
        var secret = tooLong ? null : Credentials.Prepare(password);
        var identity = authorizationIdentity.Length > credentialBytesMax ? null : Credentials.Prepare(authorizationIdentity);
        return loginText is null || secret is null || identity is null
            ? new SaslStep.Failed(loginText ?? "")
            : new SaslStep.AskPassword(loginText, identity, secret);
    }
}
