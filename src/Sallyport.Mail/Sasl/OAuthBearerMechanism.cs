using System.Text;

namespace Sallyport.Mail.Sasl;

/// <summary>
/// OAUTHBEARER (RFC 7628): gs2 header, then ^Akey=value pairs, two ^A at the end. A refused token is answered with JSON first; whatever
/// the client says to that, the exchange has failed (§3.2.3).
/// </summary>
internal sealed class OAuthBearerMechanism(int credentialBytesMax, int tokenBytesMax, TokenService? service) : ISaslMechanism
{
    private static readonly string[] Keys = ["auth", "host", "port", "mthd", "path", "post", "qs"];

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
        var headerEnd = response.AsSpan().IndexOf(TokenMessage.Separator);
        if (headerEnd < 0 || TokenMessage.Read(response.AsSpan(headerEnd + 1), Keys) is not { } pairs
            || ReadHeader(response.AsSpan(0, headerEnd)) is not { } identity)
        {
            return new SaslStep.Malformed();
        }

        _login = identity;
        return TokenMessage.Ask(identity, pairs, credentialBytesMax, tokenBytesMax);
    }

    public SaslStep TakeVerifier(ScramVerifier verifier, string serverNonce) => new SaslStep.Malformed();

    public SaslStep Granted() => new SaslStep.Done();

    public SaslStep.Challenge? Denied() => new(TokenMessage.Json(
        ("status", "invalid_token"), ("scope", service?.Scope), ("openid-configuration", service?.OpenIdConfiguration)));

    /// <summary>n or y "," [a=authzid] ",": this mechanism has no channel binding, so "p" is no grammar of it (§3.1).</summary>
    /// <returns>Whom the client acts for, "" when it does not say; null when it is no gs2 header.</returns>
    private static string? ReadHeader(ReadOnlySpan<byte> header)
    {
        if (header.Length < 3 || header[0] is not ((byte)'n' or (byte)'y') || header[1] != ',' || header[^1] != ',')
        {
            return null;
        }

        var identity = header[2..^1];
        if (identity.IsEmpty)
        {
            return "";
        }

        return identity.StartsWith("a="u8) && !identity.Contains((byte)',') && SaslName.Decode(identity[2..]) is { Length: > 0 } name ? name : null;
    }
}

/// <summary>A saslname (RFC 5801 §4): "=2C" and "=3D" stand for comma and equals sign.</summary>
internal static class SaslName
{
    /// <summary>Null when another "=" is in it, or it is no UTF-8 or has control characters.</summary>
    public static string? Decode(ReadOnlySpan<byte> octets)
    {
        if (Credentials.Prepare(octets) is not { } text)
        {
            return null;
        }

        var name = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '=')
            {
                name.Append(text[i]);
                continue;
            }

            var escape = text.AsSpan(i + 1);
            if (!escape.StartsWith("2C") && !escape.StartsWith("3D"))
            {
                return null;
            }

            name.Append(escape[0] == '2' ? ',' : '=');
            i += 2;
        }

        return name.ToString();
    }
}
