using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;

namespace Sallyport.Mail.Sasl;

/// <summary>Which mechanisms are offered, and the one for a name.</summary>
public static class SaslServer
{
    public const string Plain = "PLAIN";
    public const string Login = "LOGIN";
    public const string Scram = "SCRAM-SHA-256";
    public const string ScramPlus = "SCRAM-SHA-256-PLUS";

    public const string External = "EXTERNAL";
    public const string OAuthBearer = "OAUTHBEARER";
    public const string XOAuth2 = "XOAUTH2";

    /// <summary>Longest access token where nothing else is configured.</summary>
    public const int TokenBytesDefault = 8 * 1024;

    /// <summary>All that prove a password, strongest first.</summary>
    public static ImmutableArray<string> ByPassword { get; } = [ScramPlus, Scram, Plain, Login];

    /// <summary>All that bring an OAuth 2.0 access token.</summary>
    public static ImmutableArray<string> ByToken { get; } = [OAuthBearer, XOAuth2];

    /// <summary>Every mechanism there is, strongest first.</summary>
    public static ImmutableArray<string> All { get; } = [External, ScramPlus, Scram, .. ByToken, Plain, Login];

    /// <summary>What of <paramref name="mechanisms"/> a connection allows.</summary>
    /// <param name="canBind">-PLUS needs a channel to bind to.</param>
    /// <param name="hasCertificate">EXTERNAL needs a client certificate that was verified.</param>
    public static ImmutableArray<string> Offer(ImmutableArray<string> mechanisms, bool canBind, bool hasCertificate = false) =>
        [.. mechanisms.Where(name => (name != ScramPlus || canBind) && (name != External || hasCertificate))];

    /// <param name="serverEndPoint">
    /// The one channel binding there is, tls-server-end-point. tls-exporter (RFC 9266) would come in here beside it, once SslStream
    /// gives out exported keying material: .NET 10 does not (docs/decisions/0004).
    /// </param>
    /// <param name="offered">From <see cref="Offer"/>: another mechanism is as unknown as a made-up one.</param>
    /// <param name="tokenBytesMax">Longest access token; passwords have a limit of their own.</param>
    /// <param name="service">Told to a client whose token is refused.</param>
    public static ISaslMechanism? Create(string name, ImmutableArray<string> offered, ReadOnlyMemory<byte> serverEndPoint,
        int credentialBytesMax, int tokenBytesMax = TokenBytesDefault, TokenService? service = null) => offered.Contains(name)
        ? name switch
        {
            Plain => new PlainMechanism(credentialBytesMax),
            Login => new LoginMechanism(credentialBytesMax),
            Scram => new ScramMechanism(false, offered.Contains(ScramPlus), default, credentialBytesMax),
            ScramPlus => new ScramMechanism(true, true, serverEndPoint, credentialBytesMax),
            External => new ExternalMechanism(credentialBytesMax),
            OAuthBearer => new OAuthBearerMechanism(credentialBytesMax, tokenBytesMax, service),
            XOAuth2 => new XOAuth2Mechanism(credentialBytesMax, tokenBytesMax, service),
            _ => null,
        }
        : null;

    /// <summary>Strict base64 (RFC 4648 §4): no blanks, no missing padding, no leftover bits. Null when it is not.</summary>
    public static byte[]? DecodeBase64(ReadOnlySpan<byte> text)
    {
        if (text.ContainsAny((byte)' ', (byte)'\t', (byte)'\r'))
        {
            return null;
        }

        var octets = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        if (Base64.DecodeFromUtf8(text, octets, out var consumed, out var written) != OperationStatus.Done || consumed != text.Length)
        {
            return null;
        }

        var canonical = new byte[Base64.GetMaxEncodedToUtf8Length(written)];
        Base64.EncodeToUtf8(octets.AsSpan(0, written), canonical, out _, out _);
        return canonical.AsSpan().SequenceEqual(text) ? octets[..written] : null;
    }
}
