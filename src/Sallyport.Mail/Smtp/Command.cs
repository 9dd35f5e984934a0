using Sallyport.Mail.Addressing;

namespace Sallyport.Mail.Smtp;

/// <summary>A command as a client sent it, syntax already judged.</summary>
public abstract record Command
{
    private Command(Verb verb) => Verb = verb;

    public Verb Verb { get; }

    public sealed record Hello(bool Extended, string Name) : Command(Extended ? Verb.Ehlo : Verb.Helo);

    /// <param name="DeclaredBytes">SIZE= (RFC 1870); 0 when absent.</param>
    public sealed record Mail(
        ReversePath ReversePath, long DeclaredBytes, BodyType Body, bool SmtpUtf8, string? EnvelopeId, DsnReturn? Return)
        : Command(Verb.Mail);

    public sealed record Rcpt(EnvelopeRecipient Recipient) : Command(Verb.Rcpt);

    public sealed record Bdat(long Bytes, bool Last) : Command(Verb.Bdat);

    /// <param name="Initial">Initial response still in base64; null when absent (RFC 4954 §4).</param>
    public sealed record Auth(string Mechanism, byte[]? Initial) : Command(Verb.Auth)
    {
        public override string ToString() => $"Auth {{ Mechanism = {Mechanism} }}";
    }

    /// <summary>A verb without parameters that matter: STARTTLS, DATA, RSET, NOOP, VRFY, HELP, QUIT, EXPN, ETRN or unknown.</summary>
    public sealed record Plain(Verb Which) : Command(Which);

    /// <summary>A known verb with parameters it cannot have. <paramref name="Fatal"/>: what follows cannot be told from commands.</summary>
    public sealed record Malformed(Verb Which, Reply Reply, bool Fatal = false) : Command(Which);

    /// <summary>Another protocol's opening, HTTP for one: closed without an echo (ALPACA).</summary>
    public sealed record OtherProtocol(string Name) : Command(Verb.Unknown);
}
