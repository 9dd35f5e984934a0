namespace Sallyport.Mail.Addressing;

/// <summary>
/// Local-part@Domain (RFC 5321 §4.1.2, RFC 6531 §3.3), octets checked once and for all: no control character,
/// no space outside quotes, no CR or LF can be inside. Kept as the client wrote it, so that the next hop gets it byte for byte.
/// </summary>
public sealed record Mailbox
{
    private Mailbox(string localPart, string domain)
    {
        LocalPart = localPart;
        Domain = domain;
    }

    /// <summary>As written, quotes included when it was quoted.</summary>
    public string LocalPart { get; }

    /// <summary>As written; an address literal keeps its brackets.</summary>
    public string Domain { get; }

    /// <summary>True when it holds a character outside ASCII, so that only an SMTPUTF8 next hop can take it.</summary>
    public bool NeedsSmtpUtf8 => !System.Text.Ascii.IsValid(LocalPart) || !System.Text.Ascii.IsValid(Domain);

    public override string ToString() => LocalPart + "@" + Domain;

    internal static Mailbox Checked(string localPart, string domain) => new(localPart, domain);
}
