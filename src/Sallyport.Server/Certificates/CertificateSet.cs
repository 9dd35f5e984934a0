using System.Collections.Frozen;
using System.Globalization;

namespace Sallyport.Server.Certificates;

/// <summary>Certificates by the host names in them; the first is shown to whoever names none of those.</summary>
public sealed class CertificateSet
{
    private static readonly IdnMapping Idn = new();

    private readonly FrozenDictionary<string, ServerCertificate> _byName;

    public CertificateSet(params IReadOnlyList<ServerCertificate> certificates)
    {
        Default = certificates.Count > 0 ? certificates[0] : null;
        var byName = new Dictionary<string, ServerCertificate>(StringComparer.Ordinal);
        foreach (var certificate in certificates)
        {
            foreach (var name in certificate.HostNames)
            {
                byName.TryAdd(Normalize(name), certificate);
            }
        }

        _byName = byName.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>No certificate: nothing here speaks TLS.</summary>
    public static CertificateSet Empty { get; } = new();

    /// <summary>Null in <see cref="Empty"/> alone.</summary>
    public ServerCertificate? Default { get; }

    /// <summary>
    /// The one for the name a client asks for (RFC 6066 §3): its own, else that of "*." in the place of its first label
    /// (RFC 9525 §6.3), else the default.
    /// </summary>
    /// <param name="hostName">As the client sent it; null or empty when it sent none.</param>
    public ServerCertificate? Find(string? hostName)
    {
        if (string.IsNullOrEmpty(hostName) || _byName.Count == 0)
        {
            return Default;
        }

        var name = Normalize(hostName);
        return _byName.TryGetValue(name, out var own) ? own
            : name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && _byName.TryGetValue("*" + name[dot..], out var wild) ? wild
            : Default;
    }

    /// <summary>In A-labels and small letters. What is no name stays what it is, and is found nowhere.</summary>
    private static string Normalize(string name)
    {
        var bare = name.TrimEnd('.').ToLowerInvariant();
        try
        {
            return bare.StartsWith("*.", StringComparison.Ordinal) ? "*." + Idn.GetAscii(bare[2..]) : Idn.GetAscii(bare);
        }
        catch (ArgumentException)
        {
            return bare;
        }
    }
}
