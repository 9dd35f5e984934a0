using System.Collections.Immutable;
using System.Globalization;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Text;

namespace Sallyport.Mail.Smtp;

/// <summary>Each reply of the conversation, by name. Codes: RFC 5321 §4.2, RFC 3463, RFC 4954 §6.</summary>
public static class Replies
{
    public static readonly Reply Ok = new(250, new(2, 0, 0), "Ok");
    public static readonly Reply Bye = new(221, new(2, 0, 0), "Bye");
    public static readonly Reply ReadyForTls = new(220, new(2, 0, 0), "Ready to start TLS");
    public static readonly Reply SenderOk = new(250, new(2, 1, 0), "Sender ok");
    public static readonly Reply RecipientOk = new(250, new(2, 1, 5), "Recipient ok");
    public static readonly Reply StartContent = new(354, null, "Send the message, end with CRLF.CRLF");
    public static readonly Reply ChunkOk = new(250, new(2, 0, 0), "Chunk taken");
    public static readonly Reply CannotVerify = new(252, new(2, 1, 5), "Send to it and see");
    public static readonly Reply LoggedIn = new(235, new(2, 7, 0), "Authentication successful");

    public static readonly Reply Help = new(214, new(2, 0, 0),
        (ImmutableArray<string>)["Commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT", "Log in with AUTH, then send."]);

    public static readonly Reply UnknownCommand = new(500, new(5, 5, 2), "Unknown command");
    public static readonly Reply LineTooLong = new(500, new(5, 5, 2), "Line too long");
    public static readonly Reply BareNewline = new(500, new(5, 5, 2), "Lines end with CRLF");
    public static readonly Reply ForbiddenOctet = new(501, new(5, 5, 2), "Control characters are not allowed in a command");
    public static readonly Reply NotImplemented = new(502, new(5, 5, 1), "Not implemented");
    public static readonly Reply NeedsHello = new(503, new(5, 5, 1), "Say EHLO first");
    public static readonly Reply NeedsLogin = new(530, new(5, 7, 0), "Authentication required");
    public static readonly Reply NeedsTls = new(530, new(5, 7, 0), "Must issue a STARTTLS command first");
    public static readonly Reply AuthNeedsTls = new(538, new(5, 7, 11), "Encryption required: issue STARTTLS before AUTH");
    public static readonly Reply AlreadyLoggedIn = new(503, new(5, 5, 1), "Already authenticated");
    public static readonly Reply AlreadyTls = new(503, new(5, 5, 1), "TLS is already active");
    public static readonly Reply TlsBusy = new(454, new(4, 7, 0), "TLS not available now: too many handshakes, try again later");
    public static readonly Reply NoStartTls = new(502, new(5, 5, 1), "STARTTLS is not offered here");
    public static readonly Reply InTransaction = new(503, new(5, 5, 1), "Not during a mail transaction");
    public static readonly Reply NestedMail = new(503, new(5, 5, 1), "A mail transaction is under way; RSET ends it");
    public static readonly Reply NeedsMail = new(503, new(5, 5, 1), "MAIL first");
    public static readonly Reply NeedsRecipient = new(503, new(5, 5, 1), "RCPT first: no recipient has been accepted");
    public static readonly Reply InChunks = new(503, new(5, 5, 1), "The message is being sent with BDAT");
    public static readonly Reply TransactionFailed = new(503, new(5, 5, 1), "The transaction failed; RSET first");

    public static readonly Reply AuthCancelled = new(501, new(5, 7, 0), "Authentication cancelled");
    public static readonly Reply AuthMalformed = new(501, new(5, 5, 2), "Cannot decode the response");
    public static readonly Reply AuthTooLong = new(500, new(5, 5, 6), "Authentication exchange line is too long");
    public static readonly Reply AuthMechanismUnknown = new(504, new(5, 5, 4), "Unrecognized authentication mechanism");
    public static readonly Reply AuthFailed = new(535, new(5, 7, 8), "Authentication credentials invalid");
    public static readonly Reply AuthUnavailable = new(454, new(4, 7, 0), "Temporary authentication failure, try again later");

    public static readonly Reply LoginRevoked = new(550, new(5, 7, 13), "The account may no longer send, closing the connection");
    public static readonly Reply TooManyErrors = new(421, new(4, 7, 0), "Too many errors, closing the connection");
    public static readonly Reply TooManyCommands = new(421, new(4, 7, 0), "Too many commands before the login, closing the connection");
    public static readonly Reply TooManyRefusals = new(421, new(4, 7, 0), "Too many refused senders and recipients, closing the connection");
    public static readonly Reply TooManyMessages = new(421, new(4, 7, 0), "Enough messages for one connection, please connect again");
    public static readonly Reply TooManyRecipients = new(452, new(4, 5, 3), "Too many recipients in one message, send the rest separately");
    public static readonly Reply TlsInjected = new(554, new(5, 5, 0), "Data behind STARTTLS: closing the connection");
    public static readonly Reply OtherProtocol = new(421, new(4, 7, 0), "This is a mail submission service, closing the connection");
    public static readonly Reply ChunkUnreadable = new(501, new(5, 5, 4), "BDAT needs a size in octets, closing the connection");
    public static readonly Reply ShuttingDown = new(421, new(4, 3, 2), "Service shutting down, please try again in a moment");
    public static readonly Reply TimedOut = new(421, new(4, 4, 2), "Timed out waiting for you, closing the connection");
    public static readonly Reply TooSlow = new(421, new(4, 4, 2), "Too slow, closing the connection");

    public static readonly Reply TooMuchHeld = new(451, new(4, 7, 1), "Too much mail of this login is held; ask your mail administrator");
    public static readonly Reply NoRoom = new(452, new(4, 3, 1), "Insufficient system storage, try again later");
    public static readonly Reply StoreFailed = new(451, new(4, 3, 0), "The message could not be stored, try again later");
    public static readonly Reply StageFailed = new(451, new(4, 3, 0), "The message could not be processed, try again later");
    public static readonly Reply CommitLate = new(451, new(4, 3, 0), "Storing the message takes too long, try again later");
    public static readonly Reply BareNewlineRefused = new(550, new(5, 6, 0), "The message has a bare CR or LF; lines end with CRLF");
    public static readonly Reply NulRefused = new(550, new(5, 6, 0), "The message has a NUL octet, which mail cannot carry");

    /// <summary>
    /// The login is known and may not send (RFC 5248's registry, X.7.13: disabled for cause, told after it has logged in). Permanent, so
    /// that its user is told now and what it sends does not sit in an outbox and knock every minute.
    /// </summary>
    public static Reply Suspended(string login, string why, string contact) => new(550, new(5, 7, 13),
        $"{DisplayText.Sanitize(login)} may not send for now{(why.Length > 0 ? $": {DisplayText.Sanitize(why)}" : "")}; "
        + $"ask {DisplayText.Sanitize(contact)}");

    /// <summary>The address asked for, the login, and the address it may use instead.</summary>
    public static Reply SenderNotGranted(SenderRefusal refusal)
    {
        var where = refusal.Field is null ? "MAIL FROM" : $"the {refusal.Field} header";
        var advice = refusal.Usable is { } usable ? "it may use " + DisplayText.Sanitize(usable) : "no address is granted to it";
        return new Reply(refusal.Field is null ? 553 : 550, new(5, 7, 1),
            $"{DisplayText.Sanitize(refusal.Mailbox.ToString())} in {where} is not an address of login "
            + $"{DisplayText.Sanitize(refusal.Login)}; {advice}");
    }

    public static Reply Greeting(string hostname) => new(220, null, hostname + " ESMTP Sallyport");

    public static Reply Unpipelined(Verb behind) => new(554, new(5, 5, 0),
        $"Data behind {behind.ToString().ToUpperInvariant()} before its reply: closing the connection");

    public static Reply Queued(QueueId id) => new(250, new(2, 0, 0), "Ok: queued as " + id);

    public static Reply TooBig(long limit) => new(552, new(5, 3, 4),
        string.Create(CultureInfo.InvariantCulture, $"The message is larger than {limit} octets, the limit here"));

    public static Reply ContentLineTooLong(int line, int length, int limit) => new(554, new(5, 6, 0), string.Create(
        CultureInfo.InvariantCulture, $"Line {line} of the message has {length} octets; {limit} is the limit (RFC 5322 section 2.1.1)"));

    public static Reply BadParameters(string advice) => new(501, new(5, 5, 4), advice);

    public static Reply UnknownParameter(string name) => new(555, new(5, 5, 4), "Unknown parameter " + DisplayText.Sanitize(name));

    public static Reply NeedsSmtpUtf8(Mailbox mailbox) => new(553, new(5, 6, 7),
        "The address " + DisplayText.Sanitize(mailbox.ToString()) + " needs the SMTPUTF8 parameter on MAIL");

    /// <summary>RFC 6409 §4.2: a domain that is not in full is not sent on.</summary>
    public static Reply NotFullyQualified(Mailbox mailbox, bool sender) => new(554, new(5, 1, sender ? 8 : 2),
        $"{DisplayText.Sanitize(mailbox.Domain)} is not a domain in full (RFC 6409 section 4.2): "
        + $"{DisplayText.Sanitize(mailbox.Domain)}.example.com would be one");

    public static Reply BadPath(PathError error, bool sender) => error switch
    {
        PathError.NoDomain => new(553, new(5, 1, sender ? 7 : 3), "The address needs a domain: <name@domain>"),
        PathError.TooLong => new(553, new(5, 1, sender ? 7 : 3), "The address is too long"),
        PathError.EncodedWord => new(553, new(5, 1, sender ? 7 : 3), "No address holds an encoded word (=?): write the address itself"),
        PathError.LookAlike => new(553, new(5, 1, sender ? 7 : 3), "The address has a letter or dot that only looks like an ASCII one"),
        PathError.ForbiddenOctet => new(553, new(5, 1, sender ? 7 : 3), "The address has a character no address can have"),
        _ => new(553, new(5, 1, sender ? 7 : 3), "Bad address syntax; it must be <name@domain>"),
    };
}
