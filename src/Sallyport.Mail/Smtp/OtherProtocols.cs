using System.Text;

namespace Sallyport.Mail.Smtp;

/// <summary>Openings of protocols that end up at a mail port by mistake or by attack (ALPACA, cross-protocol requests).</summary>
internal static class OtherProtocols
{
    private static readonly string[] HttpVerbs =
        ["GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE ", "PATCH ", "CONNECT ", "TRACE ", "PRI * "];

    /// <summary>The protocol's name, or null for what may be SMTP.</summary>
    public static string? Recognise(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty)
        {
            return null;
        }

        if (RecogniseBinary(line) is { } binary)
        {
            return binary;
        }

        if (line.StartsWith("SSH-"u8))
        {
            return "SSH";
        }

        foreach (var verb in HttpVerbs)
        {
            if (line.Length > verb.Length && Ascii.EqualsIgnoreCase(line[..verb.Length], verb))
            {
                return "HTTP";
            }
        }

        return IsHeaderField(line) ? "HTTP" : null;
    }

    /// <summary>What begins with octets no line begins with, so that none needs to be awaited; two are enough.</summary>
    public static string? RecogniseBinary(ReadOnlySpan<byte> octets) => octets switch
    {
        [22, 3, ..] => "TLS", // a record of the handshake, version 3.x
        [3, 0, ..] => "RDP", // TPKT, version 3
        _ => null,
    };

    /// <summary>"Name: value" is no command of ours, but what a browser sends behind its first line.</summary>
    private static bool IsHeaderField(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf(": "u8);
        return colon > 0 && line[..colon].IndexOf((byte)' ') < 0 && line[..colon].IndexOf((byte)'<') < 0;
    }
}
