using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;

namespace Sallyport.Mail.Smtp;

/// <summary>
/// What the driver of a SubmissionSession has to do next. The session decides, the driver does the IO:
/// parse → <c>session.Receive(command)</c> → while it is a question, ask and <c>session.Answer…(result)</c> → write the reply.
/// </summary>
public abstract record SessionAction
{
    private SessionAction()
    {
    }

    /// <summary>Write the reply, read the next command.</summary>
    public sealed record Say(Reply Reply) : SessionAction;

    /// <summary>Write the reply and close the connection.</summary>
    public sealed record HangUp(Reply Reply) : SessionAction;

    /// <summary>
    /// Write the 220, handshake, then <c>TlsEstablished</c>. The driver must first see that nothing is buffered behind the
    /// command: if something is, it calls <c>TlsInjected</c> instead and does what that says (RFC 3207 §4.2, CVE-2011-0411).
    /// </summary>
    public sealed record BeginTls(Reply Reply) : SessionAction;

    /// <summary>Write the 334; the next line, up to <see cref="SmtpLimits.AuthLineBytes"/>, goes to <c>ReceiveSasl</c>.</summary>
    public sealed record ContinueSasl(Reply Reply) : SessionAction;

    /// <summary>An attempt to log in has failed: tell the guard and the log, then do what is next.</summary>
    public sealed record LoginFailed(LoginFailure Failure, SessionAction Next) : SessionAction;

    /// <summary>Ask the directories whether this password is right; answer with <c>AnswerLogin</c>.</summary>
    public sealed record AskPassword(string Login, string AuthorizationIdentity, string Password) : SessionAction
    {
        // A record prints its members; a password never gets into a log that way.
        public override string ToString() => $"AskPassword {{ Login = {Login} }}";
    }

    /// <summary>
    /// Ask the directories for the login's SCRAM verifier and a fresh nonce; answer with <c>AnswerVerifier</c>. Where a directory
    /// leads exchanges of its own, begin one with <paramref name="ClientFirst"/> and answer with <c>AnswerExchange</c>.
    /// </summary>
    public sealed record AskVerifier(string Login, string AuthorizationIdentity, ReadOnlyMemory<byte> ClientFirst) : SessionAction;

    /// <summary>Bring the response to the directory that leads the exchange; answer with <c>AnswerExchange</c>.</summary>
    public sealed record AskExchange(ReadOnlyMemory<byte> Response) : SessionAction
    {
        public override string ToString() => "AskExchange";
    }

    /// <summary>SCRAM proved the login; ask whether it is (still) enabled and what it may use; answer with <c>AnswerLogin</c>.</summary>
    /// <param name="Keys">The name of the keys that proved it; empty for the verifier's own.</param>
    public sealed record AskGrant(string Login, string AuthorizationIdentity, string Keys = "") : SessionAction;

    /// <summary>Ask the directories whom this access token was issued to; answer with <c>AnswerLogin</c>.</summary>
    /// <param name="Login">Whom the client says it is for; empty when the token alone says it.</param>
    public sealed record AskToken(string Login, string Token) : SessionAction
    {
        public override string ToString() => $"AskToken {{ Login = {Login} }}";
    }

    /// <summary>Ask the directories whose this verified certificate is; answer with <c>AnswerLogin</c>.</summary>
    public sealed record AskCertificate(ClientCertificate Certificate, string AuthorizationIdentity) : SessionAction;

    /// <summary>May this login send from here now (policy, limits, disk)? Answer with <c>AnswerSender</c>: null accepts.</summary>
    public sealed record AskSender(ReversePath ReversePath, long DeclaredBytes) : SessionAction;

    /// <summary>Is there a route, do limits allow one more? Answer with <c>AnswerRecipient</c>: null accepts.</summary>
    public sealed record AskRecipient(EnvelopeRecipient Recipient) : SessionAction;

    /// <summary>Write the 354, read content until CRLF.CRLF, keep it, then <c>AnswerContent</c> with the final reply.</summary>
    public sealed record ReadData(Reply Reply, Envelope Envelope) : SessionAction;

    /// <summary>
    /// Read exactly <paramref name="Bytes"/> octets (RFC 3030). After the last chunk of the message keep it and call
    /// <c>AnswerContent</c>, after any other <c>AnswerChunk</c>. With <paramref name="Discard"/> set the octets are read and
    /// thrown away, then that reply is written and nothing is answered.
    /// </summary>
    public sealed record ReadChunk(long Bytes, bool Last, Envelope? Envelope, Reply? Discard) : SessionAction;
}

/// <summary>What the directories said of a login.</summary>
public abstract record LoginAnswer
{
    private LoginAnswer()
    {
    }

    /// <summary>235. <paramref name="Grant"/> says what the login may use.</summary>
    public sealed record Granted(Policy.Grant Grant) : LoginAnswer;

    /// <summary>535 5.7.8: unknown login and wrong password are the same to the client.</summary>
    /// <param name="Known">A directory knows the login, and only the password was wrong: for the log.</param>
    /// <param name="Again">This very secret was refused before: a forgotten device, which the log names as that and as no failed login.</param>
    public sealed record Wrong(bool Known = false, bool Again = false) : LoginAnswer;

    /// <summary>535 5.7.8 to the client, named in the log.</summary>
    public sealed record Disabled : LoginAnswer;

    /// <summary>The login is right and has reached a limit: 454 with the limit and the time, and no session.</summary>
    public sealed record OverLimit(Reply Refusal) : LoginAnswer;

    /// <summary>454 4.7.0: the directory cannot answer, or too many are asking.</summary>
    public sealed record Unavailable(string Why) : LoginAnswer;
}

/// <summary>The verifier for a SCRAM exchange, a stable made-up one for an unknown login (RFC 5802 §9), and a nonce from the driver.</summary>
public abstract record VerifierAnswer
{
    private VerifierAnswer()
    {
    }

    public sealed record Found(ScramVerifier Verifier, string ServerNonce) : VerifierAnswer;

    public sealed record Unavailable(string Why) : VerifierAnswer;
}

/// <summary>What a directory that leads a SASL exchange says next.</summary>
public abstract record ExchangeAnswer
{
    private ExchangeAnswer()
    {
    }

    /// <summary>334: its challenge, still without base64.</summary>
    public sealed record Challenge(ReadOnlyMemory<byte> Octets) : ExchangeAnswer;

    /// <summary>The exchange is over.</summary>
    public sealed record Ended(LoginAnswer Login) : ExchangeAnswer;
}
