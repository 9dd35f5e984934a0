using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Relaying;

/// <param name="Recipients">Recipients of this transaction; <c>Number</c> is the caller's name for each.</param>
/// <param name="EightBit">The content has an octet above 127.</param>
/// <param name="SmtpUtf8">The client declared SMTPUTF8.</param>
/// <param name="ContentBytes">Header and body, before dot-stuffing.</param>
/// <param name="Utf8Header">The header block itself has an octet above 127; a body alone asks for 8BITMIME, not for SMTPUTF8.</param>
public sealed record RelayMail(
    ReversePath ReversePath,
    ImmutableArray<RelayRecipient> Recipients,
    bool EightBit,
    bool SmtpUtf8,
    string? EnvelopeId,
    DsnReturn? Return,
    long ContentBytes,
    bool Utf8Header = false);

public sealed record RelayRecipient(int Number, ForwardPath Path, DsnNotify Notify, string? OriginalRecipient);
