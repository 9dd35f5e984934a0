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

    /// <summary>All that prove a password, strongest first.</summary>
    public static ImmutableArray<string> ByPassword { get; } = [ScramPlus, Scram, Plain, Login];

    /// <summary>Every mechanism there is, strongest first.</summary>
    public static ImmutableArray<string> All { get; } = ByPassword;

    /// <summary>What of <paramref name="mechanisms"/> a connection allows: -PLUS needs a channel to bind to.</summary>
    public static ImmutableArray<string> Offer(ImmutableArray<string> mechanisms, bool canBind) =>
        [.. mechanisms.Where(name => name != ScramPlus || canBind)];

    /// <param name="serverEndPoint">
    /// The one channel binding there is, tls-server-end-point. tls-exporter (RFC 9266) would come in here beside it, once SslStream
    /// gives out exported keying material: .NET 10 does not (docs/decisions/0004).
    /// </param>
    /// <param name="offered">From <see cref="Offer"/>: another mechanism is as unknown as a made-up one.</param>
    public static ISaslMechanism? Create(
        string name, ImmutableArray<string> offered, ReadOnlyMemory<byte> serverEndPoint, int credentialBytesMax) => offered.Contains(name)
        ? name switch
        {
            Plain => new PlainMechanism(credentialBytesMax),
            Login => new LoginMechanism(credentialBytesMax),
            Scram => new ScramMechanism(false, offered.Contains(ScramPlus), default, credentialBytesMax),
            ScramPlus => new ScramMechanism(true, true, serverEndPoint, credentialBytesMax),
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
