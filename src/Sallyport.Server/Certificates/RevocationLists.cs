using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sallyport.Server.Certificates;

/// <summary>
/// The revocation lists of [tls] client_crl, read again when the file changes. An authority that issues client certificates must have a
/// list in it that is its own and not past its time: otherwise nobody knows, and nobody is let in.
/// </summary>
internal sealed class RevocationLists
{
    private const long FileBytesMax = 64L * 1024 * 1024;

    private readonly string _file;
    private readonly Lock _gate = new();
    private ImmutableArray<RevocationList> _lists;
    private (DateTime WrittenAt, long Bytes) _seen;

    private RevocationLists(string file)
    {
        _file = file;
        _seen = Stamp();
        _lists = Read();
    }

    /// <summary>When the first of them ends.</summary>
    public DateTimeOffset EndAt => Current().Min(list => list.EndsAt);

    /// <exception cref="CryptographicException">Not PEM, or no lists.</exception>
    public static RevocationLists Load(string file) => new(file);

    /// <param name="path">From the client's certificate to the root.</param>
    /// <returns>Null when none of them is revoked.</returns>
    public string? Trouble(X509Certificate2[] path, DateTimeOffset now)
    {
        var lists = Current();
        for (var i = 0; i + 1 < path.Length; i++)
        {
            var (certificate, issuer) = (path[i], path[i + 1]);
            RevocationList[] own = [.. lists.Where(list => list.IsOf(issuer))];
            if (own.Length == 0 && i == 0)
            {
                return $"client_crl has no revocation list of its issuer \"{issuer.Subject}\"";
            }

            if (own.FirstOrDefault(list => now > list.EndsAt) is { } old)
            {
                return $"the revocation list of \"{issuer.Subject}\" ended {old.EndsAt.UtcDateTime:u}: a fresh one belongs into {_file}";
            }

            if (own.Any(list => list.Names(certificate)))
            {
                return i == 0 ? "it is revoked" : $"the certificate of \"{certificate.Subject}\" above it is revoked";
            }
        }

        return null;
    }

    /// <summary>A file that is just being written, or is broken, leaves the lists at hand in force until they end.</summary>
    private ImmutableArray<RevocationList> Current()
    {
        lock (_gate)
        {
            try
            {
                if (Stamp() is var stamp && stamp != _seen)
                {
                    _lists = Read();
                    _seen = stamp;
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
            {
                // The next login tries again.
            }

            return _lists;
        }
    }

    private (DateTime WrittenAt, long Bytes) Stamp()
    {
        var info = new FileInfo(_file);
        return info.Exists ? (info.LastWriteTimeUtc, info.Length) : default;
    }

    private ImmutableArray<RevocationList> Read()
    {
        if (new FileInfo(_file).Length > FileBytesMax)
        {
            throw new CryptographicException($"{_file} is larger than {FileBytesMax / 1024 / 1024} MiB");
        }

        var text = File.ReadAllText(_file).AsSpan();
        var lists = ImmutableArray.CreateBuilder<RevocationList>();
        while (PemEncoding.TryFind(text, out var found))
        {
            if (text[found.Label] is "X509 CRL")
            {
                lists.Add(RevocationList.Read(Convert.FromBase64String(text[found.Base64Data].ToString())));
            }

            text = text[found.Location.End..];
        }

        return lists.Count > 0 ? lists.ToImmutable() : throw new CryptographicException($"{_file} has no revocation list (PEM, \"X509 CRL\")");
    }
}

/// <summary>One certificate revocation list (RFC 5280 §5).</summary>
internal sealed class RevocationList
{
    private const string DeltaIndicator = "2.5.29.27";
    private const string IssuingDistributionPoint = "2.5.29.28";
    private static readonly Asn1Tag Extensions = new(TagClass.ContextSpecific, 0, isConstructed: true);

    private readonly byte[] _issuer;
    private readonly byte[] _signed;
    private readonly byte[] _signature;
    private readonly string _algorithm;
    private readonly FrozenSet<BigInteger> _serials;

    private RevocationList(byte[] issuer, byte[] signed, byte[] signature, string algorithm, DateTimeOffset endsAt, FrozenSet<BigInteger> serials)
    {
        (_issuer, _signed, _signature, _algorithm, EndsAt, _serials) = (issuer, signed, signature, algorithm, endsAt, serials);
    }

    public DateTimeOffset EndsAt { get; }

    /// <exception cref="CryptographicException">Not a list, or one that is only a part of the truth.</exception>
    public static RevocationList Read(byte[] der)
    {
        try
        {
            var whole = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            var signed = whole.PeekEncodedValue().ToArray();
            var list = whole.ReadSequence();
            var algorithm = whole.ReadSequence().ReadObjectIdentifier();
            var signature = whole.ReadBitString(out _);
            if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
            {
                list.ReadInteger();
            }

            list.ReadSequence(); // the algorithm again
            var issuer = list.ReadEncodedValue().ToArray();
            ReadTime(list);
            var endsAt = list.HasData && IsTime(list.PeekTag()) ? ReadTime(list) : DateTimeOffset.MaxValue;
            var serials = list.HasData && list.PeekTag() == Asn1Tag.Sequence ? ReadSerials(list.ReadSequence()) : [];
            if (list.HasData && list.PeekTag() == Extensions)
            {
                CheckExtensions(list.ReadSequence(Extensions).ReadSequence());
            }

            return new RevocationList(issuer, signed, signature, algorithm, endsAt, serials.ToFrozenSet());
        }
        catch (AsnContentException exception)
        {
            throw new CryptographicException("this is no certificate revocation list", exception);
        }
    }

    /// <summary>Issued and signed by this authority.</summary>
    public bool IsOf(X509Certificate2 authority) => _issuer.AsSpan().SequenceEqual(authority.SubjectName.RawData) && IsSignedBy(authority);

    public bool Names(X509Certificate2 certificate) => _serials.Contains(new BigInteger(certificate.SerialNumberBytes.Span, isBigEndian: true));

    private bool IsSignedBy(X509Certificate2 authority)
    {
        HashAlgorithmName? hash = _algorithm switch
        {
            "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
            "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
            "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
            _ => null,
        };
        if (hash is null)
        {
            return false;
        }

        using var rsa = authority.GetRSAPublicKey();
        using var ecdsa = authority.GetECDsaPublicKey();
        return _algorithm.StartsWith("1.2.840.113549", StringComparison.Ordinal)
            ? rsa?.VerifyData(_signed, _signature, hash.Value, RSASignaturePadding.Pkcs1) == true
            : ecdsa?.VerifyData(_signed, _signature, hash.Value, DSASignatureFormat.Rfc3279DerSequence) == true;
    }

    private static HashSet<BigInteger> ReadSerials(AsnReader entries)
    {
        var serials = new HashSet<BigInteger>();
        while (entries.HasData)
        {
            serials.Add(entries.ReadSequence().ReadInteger());
        }

        return serials;
    }

    /// <summary>A list of changes, or of some certificates only, would say "not revoked" of those it does not cover.</summary>
    private static void CheckExtensions(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            if (extensions.ReadSequence().ReadObjectIdentifier() is DeltaIndicator or IssuingDistributionPoint)
            {
                throw new CryptographicException("the revocation list covers only a part of the certificates; a complete one is needed");
            }
        }
    }

    private static bool IsTime(Asn1Tag tag) =>
        tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
