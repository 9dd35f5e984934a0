using System.Globalization;
using System.Text;

namespace Sallyport.Mail.Addressing;

/// <summary>
/// Local-part@Domain (RFC 5321 §4.1.2, RFC 6531 §3.3), octets checked once and for all: no control character,
/// no space outside quotes, no CR or LF can be inside. Kept as the client wrote it, so that the next hop gets it byte for byte.
/// </summary>
public sealed record Mailbox
{
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    private Mailbox(string localPart, string domain, string? asciiDomain)
    {
        LocalPart = localPart;
        Domain = domain;
        AsciiDomain = asciiDomain ?? "";
    }

    /// <summary>As written, quotes included when it was quoted.</summary>
    public string LocalPart { get; }

    /// <summary>As written; an address literal keeps its brackets.</summary>
    public string Domain { get; }

    /// <summary>The domain in lower case with A-labels (RFC 5890): what domains are compared in.</summary>
    public string AsciiDomain { get; }

    /// <summary>What mailboxes are compared in: lower-case local part, <see cref="AsciiDomain"/>.</summary>
    public string Canonical => LocalPart.ToLowerInvariant() + "@" + AsciiDomain;

    public bool IsAddressLiteral => Domain.StartsWith('[');

    /// <summary>False for a name of one label, which means something only where it was typed.</summary>
    public bool IsFullyQualified => IsAddressLiteral || AsciiDomain.Contains('.', StringComparison.Ordinal);

    /// <summary>True when it holds a character outside ASCII, so that only an SMTPUTF8 next hop can take it.</summary>
    public bool NeedsSmtpUtf8 => !Ascii.IsValid(LocalPart) || !Ascii.IsValid(Domain);

    /// <summary>False when the domain has no A-label form.</summary>
    internal bool HasUsableDomain => AsciiDomain.Length > 0;

    public bool Equals(Mailbox? other) => other is not null && LocalPart == other.LocalPart && Domain == other.Domain;

    public override int GetHashCode() => HashCode.Combine(LocalPart, Domain);

    public override string ToString() => LocalPart + "@" + Domain;

    /// <summary>A domain in lower case with A-labels; null when it has no such form.</summary>
    public static string? ToAsciiDomain(string domain)
    {
        if (Ascii.IsValid(domain))
        {
            return domain.ToLowerInvariant();
        }

        if (LookAlikes.InDomain(domain))
        {
            return null;
        }

        try
        {
            return Idn.GetAscii(domain.ToLowerInvariant()).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    internal static Mailbox Checked(string localPart, string domain) => new(localPart, domain, ToAsciiDomain(domain));
}
