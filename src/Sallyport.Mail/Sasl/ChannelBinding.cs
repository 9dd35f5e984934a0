using System.Security.Cryptography;

namespace Sallyport.Mail.Sasl;

/// <summary>What ties a login to the TLS connection it is made in.</summary>
public static class ChannelBinding
{
    /// <summary>
    /// tls-server-end-point (RFC 5929 §4.1): the server's certificate under the hash it was signed with; SHA-256 in place of MD5 and SHA-1.
    /// </summary>
    /// <param name="signatureAlgorithm">The OID of the certificate's signature.</param>
    /// <param name="certificate">Its DER octets.</param>
    public static byte[] ServerEndPoint(string? signatureAlgorithm, ReadOnlySpan<byte> certificate) => signatureAlgorithm switch
    {
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => SHA384.HashData(certificate),
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => SHA512.HashData(certificate),
        _ => SHA256.HashData(certificate),
    };
}
