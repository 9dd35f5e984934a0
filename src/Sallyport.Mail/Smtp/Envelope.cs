using System.Collections.Immutable;
using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Smtp;

/// <summary>What the client said around the content (RFC 5321 §2.3.1), with its extensions' parameters.</summary>
/// <param name="EnvelopeId">ENVID, decoded from xtext (RFC 3461 §4.4); null when absent.</param>
/// <param name="Return">RET (RFC 3461 §4.3); null when absent.</param>
public sealed record Envelope(
    ReversePath ReversePath,
    ImmutableArray<EnvelopeRecipient> Recipients,
    BodyType Body,
    bool SmtpUtf8,
    string? EnvelopeId,
    DsnReturn? Return);

/// <param name="Notify">NOTIFY (RFC 3461 §4.1).</param>
/// <param name="OriginalRecipient">ORCPT as "addr-type;address", the address decoded from xtext (RFC 3461 §4.2); null when absent.</param>
public sealed record EnvelopeRecipient(ForwardPath Path, DsnNotify Notify, string? OriginalRecipient);

/// <summary>BODY= (RFC 6152). Numbers are stored: they only grow.</summary>
public enum BodyType
{
    SevenBit = 0,
    EightBitMime = 1,
}

/// <summary>RET= (RFC 3461 §4.3). Numbers are stored.</summary>
public enum DsnReturn
{
    Headers = 0,
    Full = 1,
}

/// <summary>NOTIFY= (RFC 3461 §4.1). Unspecified means failures, and delays as the server likes. Numbers are stored.</summary>
[Flags]
public enum DsnNotify
{
    Unspecified = 0,
    Never = 1,
    Success = 2,
    Failure = 4,
    Delay = 8,
}
