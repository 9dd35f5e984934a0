using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Sallyport.Server.Certificates;

/// <summary>What a client showed in one handshake, a resumed one too: there its certificate comes out of the session, without its chain.</summary>
internal sealed class ClientHandshake(bool required)
{
    private readonly List<byte[]> _sent = [];

    public bool IsRequired => required;

    /// <summary>True when none was shown although one is required.</summary>
    public bool IsMissing { get; private set; }

    /// <summary>DER; null when none was shown.</summary>
    public byte[]? Leaf { get; private set; }

    /// <summary>DER of what was sent with it, in no order to rely on.</summary>
    public IReadOnlyList<byte[]> Sent => _sent;

    /// <summary>Called by TLS once a handshake. Only keeps: the verdict comes after the handshake.</summary>
    public bool Take(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Leaf = certificate?.GetRawCertData();
        _sent.Clear();
        _sent.AddRange(chain?.ChainPolicy.ExtraStore.Select(one => one.RawData) ?? []);
        IsMissing = required && Leaf is null;
        return !IsMissing;
    }
}

/// <param name="Certificate">Null when the certificate proves nothing.</param>
/// <param name="Trouble">Why it does not; empty when it does.</param>
public sealed record CertificateVerdict(Mail.Smtp.ClientCertificate? Certificate, string Trouble);
