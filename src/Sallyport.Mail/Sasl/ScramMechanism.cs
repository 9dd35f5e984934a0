using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Sallyport.Mail.Sasl;

/// <summary>
/// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), server side. Channel binding is tls-server-end-point (RFC 5929 §4).
/// Where another server keeps the verifier the exchange is relayed to it from the client's first message on.
/// </summary>
/// <param name="plus">True for -PLUS.</param>
/// <param name="plusOffered">True when -PLUS was advertised: then a client's "y" means somebody took it out of the list.</param>
internal sealed class ScramMechanism(bool plus, bool plusOffered, ReadOnlyMemory<byte> serverEndPoint, int credentialBytesMax)
    : ISaslMechanism
{
    private const string BindingName = "tls-server-end-point";

    private string _gs2Header = "";
    private string _clientFirstBare = "";
    private string _clientNonce = "";
    private string _serverFirst = "";
    private string _nonce = "";
    private string _login = "";
    private string _identity = "";
    private ScramVerifier? _verifier;
    private byte[]? _serverFinal;
    private bool _relayed;

    public SaslStep Start(byte[]? initial) => initial is null ? new SaslStep.Challenge(default) : Receive(initial);

    public SaslStep Receive(byte[] response)
    {
        if (_serverFinal is not null)
        {
            return response.Length == 0 ? new SaslStep.Done() : new SaslStep.Malformed();
        }

        if (!Utf8.IsValid(response) || response.Length > (4 * credentialBytesMax) + 512)
        {
            return new SaslStep.Malformed();
        }

        if (_relayed)
        {
            return new SaslStep.AskExchange(response);
        }

        var text = Encoding.UTF8.GetString(response);
        return _verifier is null ? ReceiveFirst(text) : ReceiveFinal(text);
    }

    public SaslStep TakeVerifier(ScramVerifier verifier, string serverNonce)
    {
        _verifier = verifier;
        _nonce = _clientNonce + serverNonce;
        _serverFirst = string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"r={_nonce},s={Convert.ToBase64String(verifier.Salt.Span)},i={verifier.Iterations}");
        return new SaslStep.Challenge(Encoding.UTF8.GetBytes(_serverFirst));
    }

    public SaslStep TakeChallenge(ReadOnlyMemory<byte> octets)
    {
        _relayed = true;
        return new SaslStep.Challenge(octets);
    }

    public SaslStep Granted() => _relayed ? new SaslStep.Done() : new SaslStep.Challenge(_serverFinal!);

    /// <summary>gs2-cbind-flag "," [a=authzid] "," n=login,r=nonce[,extensions]</summary>
    private SaslStep ReceiveFirst(string text)
    {
        var afterFlag = text.IndexOf(',', StringComparison.Ordinal);
        var afterIdentity = afterFlag < 0 ? -1 : text.IndexOf(',', afterFlag + 1);
        if (afterIdentity < 0)
        {
            return new SaslStep.Malformed();
        }

        _gs2Header = text[..(afterIdentity + 1)];
        _clientFirstBare = text[(afterIdentity + 1)..];
        var identity = text[(afterFlag + 1)..afterIdentity];
        var fields = _clientFirstBare.Split(',');
        if (fields.Length < 2 || !fields[0].StartsWith("n=", StringComparison.Ordinal)
            || !fields[1].StartsWith("r=", StringComparison.Ordinal) || fields[1].Length < 10
            || (identity.Length > 0 && !identity.StartsWith("a=", StringComparison.Ordinal)))
        {
            return new SaslStep.Malformed();
        }

        _clientNonce = fields[1][2..];
        _login = SaslName(fields[0][2..]) is { Length: > 0 } name && name.Length <= credentialBytesMax ? Credentials.Prepare(name) ?? "" : "";
        var authorization = identity.Length == 0 ? "" : SaslName(identity[2..]);
        if (_login.Length == 0 || authorization is null)
        {
            return new SaslStep.Malformed();
        }

        _identity = authorization;
        return BindingFlagFits(text[..afterFlag])
            ? new SaslStep.AskVerifier(_login, _identity)
            : new SaslStep.Failed(_login);
    }

    private bool BindingFlagFits(string flag) => flag switch
    {
        "n" => !plus,
        "y" => !plus && !plusOffered,
        _ => plus && flag == "p=" + BindingName,
    };

    /// <summary>c=gs2-header and binding,r=nonce,p=proof</summary>
    private SaslStep ReceiveFinal(string text)
    {
        var proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (proofAt < 0)
        {
            return new SaslStep.Malformed();
        }

        var withoutProof = text[..proofAt];
        var fields = withoutProof.Split(',');
        var proof = new byte[ScramSha256.HashBytes];
        if (fields.Length < 2 || !Convert.TryFromBase64String(text[(proofAt + 3)..], proof, out var length)
            || length != ScramSha256.HashBytes)
        {
            return new SaslStep.Malformed();
        }

        byte[] binding = [.. Encoding.UTF8.GetBytes(_gs2Header), .. plus ? serverEndPoint.Span : default];
        var authMessage = $"{_clientFirstBare},{_serverFirst},{withoutProof}";
        if (Proven(proof, authMessage) is not { } keys || fields[0] != "c=" + Convert.ToBase64String(binding) || fields[1] != "r=" + _nonce)
        {
            return new SaslStep.Failed(_login);
        }

        _serverFinal = Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(ScramSha256.Sign(keys.ServerKey.Span, authMessage)));
        return new SaslStep.AskGrant(_login, _identity, keys.Name);
    }

    /// <summary>The keys the proof was made with; all are tried, so that how long it takes does not tell which.</summary>
    private ScramKeys? Proven(byte[] proof, string authMessage)
    {
        ScramKeys? proven = null;
        foreach (var keys in _verifier!.Also.Prepend(new ScramKeys("", _verifier.StoredKey, _verifier.ServerKey)))
        {
            var clientKey = ScramSha256.Xor(proof, ScramSha256.Sign(keys.StoredKey.Span, authMessage));
            proven = CryptographicOperations.FixedTimeEquals(SHA256.HashData(clientKey), keys.StoredKey.Span) ? keys : proven;
        }

        return proven;
    }

    /// <summary>Undoes =2C and =3D (RFC 5802 §5.1); null when there is another "=".</summary>
    private static string? SaslName(string text)
    {
        var name = text.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "\u0001", StringComparison.Ordinal);
        return name.Contains('=', StringComparison.Ordinal) || text.Contains('\u0001', StringComparison.Ordinal)
            ? null
            : name.Replace('\u0001', '=');
    }
}
