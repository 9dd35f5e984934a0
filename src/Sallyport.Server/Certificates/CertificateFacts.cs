using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Certificates;

/// <summary>The names in a verified certificate (RFC 5280 §4.2.1.6). One that tries to hide something in a name has none at all.</summary>
internal static class CertificateFacts
{
    private const string AlternativeNames = "2.5.29.17";
    private const string CommonName = "2.5.4.3";
    private const string PrincipalName = "1.3.6.1.4.1.311.20.2.3";
    private const string SmtpUtf8Mailbox = "1.3.6.1.5.5.7.8.9";
    private const int NamesMax = 100;

    private static readonly Asn1Tag OtherName = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag Rfc822Name = new(TagClass.ContextSpecific, 1);

    /// <exception cref="AsnContentException">The alternative names are no DER, or a text in them is none.</exception>
    public static CertificateVerdict Read(X509Certificate2 certificate)
    {
        var emails = ImmutableArray.CreateBuilder<string>();
        var principals = ImmutableArray.CreateBuilder<string>();
        foreach (var extension in certificate.Extensions.Where(one => one.Oid?.Value == AlternativeNames))
        {
            if (!ReadNames(extension.RawData, emails, principals))
            {
                return new(null, $"it has more than {NamesMax} alternative names");
            }
        }

        var commonName = ReadCommonName(certificate);
        if (emails.Concat(principals).Append(commonName).Any(name => Credentials.Prepare(name) is null))
        {
            return new(null, "a name in it has control characters");
        }

        return new(new ClientCertificate(certificate.Subject, commonName, emails.ToImmutable(), principals.ToImmutable(),
            certificate.SerialNumber, Convert.ToHexString(SHA256.HashData(certificate.RawData))), "");
    }

    private static bool ReadNames(ReadOnlyMemory<byte> octets, ImmutableArray<string>.Builder emails, ImmutableArray<string>.Builder principals)
    {
        var names = new AsnReader(octets, AsnEncodingRules.DER).ReadSequence();
        for (var count = 0; names.HasData; count++)
        {
            if (count >= NamesMax)
            {
                return false;
            }

            var tag = names.PeekTag();
            if (tag.HasSameClassAndValue(Rfc822Name))
            {
                emails.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, Rfc822Name));
            }
            else if (tag == OtherName)
            {
                ReadOtherName(names.ReadSequence(OtherName), emails, principals);
            }
            else
            {
                names.ReadEncodedValue();
            }
        }

        return true;
    }

    private static void ReadOtherName(AsnReader name, ImmutableArray<string>.Builder emails, ImmutableArray<string>.Builder principals)
    {
        var kind = name.ReadObjectIdentifier();
        if (kind is PrincipalName or SmtpUtf8Mailbox)
        {
            var value = name.ReadSequence(OtherName).ReadCharacterString(UniversalTagNumber.UTF8String);
            (kind == PrincipalName ? principals : emails).Add(value);
        }
    }

    /// <summary>The only common name; empty when there is none, or more than one to choose from.</summary>
    private static string ReadCommonName(X509Certificate2 certificate)
    {
        string[] names =
        [
            .. certificate.SubjectName.EnumerateRelativeDistinguishedNames()
                .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonName)
                .Select(part => part.GetSingleElementValue()).OfType<string>(),
        ];
        return names.Length == 1 ? names[0] : "";
    }
}
