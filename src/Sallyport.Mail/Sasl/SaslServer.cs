using System.Buffers;
using System.Buffers.Text;

namespace Sallyport.Mail.Sasl;

/// <summary>Which mechanisms are offered, and the one for a name.</summary>
public static class SaslServer
{
    public const string Plain = "PLAIN";
    public const string Login = "LOGIN";
    public const string Scram = "SCRAM-SHA-256";
    public const string ScramPlus = "SCRAM-SHA-256-PLUS";

    /// <summary>Strongest first. -PLUS needs a channel to bind to.</summary>
    public static string Offer(bool canBind) => canBind ? $"{ScramPlus} {Scram} {Plain} {Login}" : $"{Scram} {Plain} {Login}";

    public static ISaslMechanism? Create(string name, ReadOnlyMemory<byte> serverEndPoint, int credentialBytesMax) => name switch
    {
        Plain => new PlainMechanism(credentialBytesMax),
        Login => new LoginMechanism(credentialBytesMax),
        Scram => new ScramMechanism(false, !serverEndPoint.IsEmpty, default, credentialBytesMax),
        ScramPlus when !serverEndPoint.IsEmpty => new ScramMechanism(true, true, serverEndPoint, credentialBytesMax),
        _ => null,
    };

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
