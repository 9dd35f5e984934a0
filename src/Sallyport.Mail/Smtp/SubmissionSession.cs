using System.Collections.Immutable;
using System.Globalization;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;

namespace Sallyport.Mail.Smtp;

/// <summary>
/// One client's conversation, from greeting to QUIT, without any IO: takes a command, gives a <see cref="SessionAction"/>.
/// The order of commands is <see cref="SubmissionStateTable"/>'s; this class does what the table allows.
/// </summary>
public sealed class SubmissionSession(SubmissionContext context)
{
    private readonly SaslConversation _sasl = new(context.Limits, context.TokenService);
    private readonly MailTransaction _transaction = new();
    private Command.Mail? _askedMail;
    private EnvelopeRecipient? _askedRecipient;
    private int _errors;
    private int _policyRefusals;
    private int _commandsBeforeLogin;
    private int _bareNewlines;

    public SessionState State { get; private set; } = SessionState.Greeted;

    /// <summary>Null until AUTH has succeeded.</summary>
    public Grant? Grant { get; private set; }

    public string HeloName { get; private set; } = "";

    public TlsFacts? Tls { get; private set; }

    /// <summary>Messages answered with 250.</summary>
    public int Messages { get; private set; }

    /// <summary>The mail transaction so far; null outside one.</summary>
    public Envelope? Envelope => _transaction.Envelope;

    /// <summary>Mechanism of the last attempt to log in, for the log.</summary>
    public string Mechanism => _sasl.Mechanism;

    /// <summary>The login of the last attempt as it was typed, for the log.</summary>
    public string LoginTyped => _sasl.LoginTyped;

    public Reply Greeting() => Replies.Greeting(context.Hostname);

    /// <summary>The longest line the next command may have: AUTH brings its initial response along (RFC 4954 §4).</summary>
    public int LineBytesMax => Grant is null && (Tls is not null || context.AuthWithoutTls)
        ? Math.Max(context.Limits.CommandLineBytes, context.Limits.AuthLineBytes)
        : context.Limits.CommandLineBytes;

    /// <param name="lineBytes">Length of its line with CRLF, within <see cref="LineBytesMax"/>.</param>
    public SessionAction Receive(Command command, int lineBytes) =>
        lineBytes > context.Limits.CommandLineBytes && command.Verb != Verb.Auth ? LineTooLong() : Receive(command);

    public SessionAction Receive(Command command)
    {
        if (command is Command.OtherProtocol)
        {
            return new SessionAction.HangUp(Replies.OtherProtocol);
        }

        if (Grant is null && ++_commandsBeforeLogin > context.Limits.CommandsBeforeLogin)
        {
            return new SessionAction.HangUp(Replies.TooManyCommands);
        }

        if (command is Command.Malformed { Fatal: true } fatal)
        {
            return new SessionAction.HangUp(fatal.Reply);
        }

        var cell = SubmissionStateTable.Find(State, command.Verb);
        if (command.Verb == Verb.Auth && Grant is null && Tls is null && !context.AuthWithoutTls)
        {
            return Refuse(Replies.AuthNeedsTls); // before anything else, so that the secret is not even looked at
        }

        if (cell == Cell.Login && Tls is null && context.StartTls && !context.AuthWithoutTls)
        {
            cell = Cell.Tls;
        }

        if (cell != Cell.Allowed)
        {
            return Refused(command, SubmissionStateTable.Refusal(cell));
        }

        return command is Command.Malformed malformed ? Refused(command, malformed.Reply) : Do(command);
    }

    /// <summary>The handshake is over: whatever was said before is forgotten (RFC 3207 §4.2).</summary>
    public void TlsEstablished(TlsFacts facts)
    {
        Tls = facts;
        State = SessionState.Greeted;
        HeloName = "";
        EndTransaction();
    }

    /// <summary>Something was buffered behind STARTTLS: an attack (CVE-2011-0411).</summary>
    public SessionAction TlsInjected() => new SessionAction.HangUp(Replies.TlsInjected);

    /// <summary>
    /// Octets had arrived behind AUTH or DATA, whose replies a client must await (RFC 4954 §4, RFC 2920 §3.1): another protocol made
    /// to speak through a victim, or an attack on what stands between.
    /// </summary>
    public SessionAction Unpipelined(Verb behind) => new SessionAction.HangUp(Replies.Unpipelined(behind));

    public SessionAction LineTooLong() => Refuse(Replies.LineTooLong);

    public SessionAction BareNewlineCommand() =>
        ++_bareNewlines >= 3 ? new SessionAction.HangUp(Replies.TooManyErrors) : Refuse(Replies.BareNewline);

    /// <summary>A line of the SASL exchange, without CRLF.</summary>
    public SessionAction ReceiveSasl(ReadOnlySpan<byte> line) => Settle(_sasl.Receive(line));

    /// <summary>The line was longer than RFC 4954 §4 allows.</summary>
    public SessionAction SaslLineTooLong() => Settle(_sasl.LineTooLong());

    public SessionAction AnswerVerifier(VerifierAnswer answer) => Settle(_sasl.Answer(answer));

    /// <summary>
    /// Answers <see cref="SessionAction.AskExchange"/>, and <see cref="SessionAction.AskVerifier"/> where a directory leads the exchange.
    /// </summary>
    public SessionAction AnswerExchange(ExchangeAnswer answer) => Settle(_sasl.Answer(answer));

    public SessionAction AnswerLogin(LoginAnswer answer) => Settle(_sasl.Answer(answer));

    /// <param name="rewritten">The reverse-path to keep in place of the one asked for; null keeps it.</param>
    public SessionAction AnswerSender(Reply? refusal, ReversePath? rewritten = null)
    {
        var asked = rewritten is not { } kept ? _askedMail! : _askedMail! with
        {
            ReversePath = kept,
            SmtpUtf8 = _askedMail.SmtpUtf8 || kept.Mailbox is { NeedsSmtpUtf8: true },
        };
        _askedMail = null;
        if (refusal is not null)
        {
            return RefuseByPolicy(refusal);
        }

        _transaction.Begin(asked);
        State = SessionState.InTransaction;
        return new SessionAction.Say(Replies.SenderOk);
    }

    /// <summary>In place of <see cref="AnswerSender"/>: the login was disabled or removed since, and the session is over.</summary>
    public SessionAction LoginRevoked()
    {
        _askedMail = null;
        return new SessionAction.HangUp(Replies.LoginRevoked);
    }

    /// <summary>What the directory says of the login now.</summary>
    public void RenewGrant(Grant grant) => Grant = grant;

    /// <param name="byLimit">Refused for now and not for itself: the client may go on with the others, however many are refused so.</param>
    public SessionAction AnswerRecipient(Reply? refusal, bool byLimit = false)
    {
        var asked = _askedRecipient!;
        _askedRecipient = null;
        if (refusal is not null)
        {
            return byLimit ? Refuse(refusal, counts: false) : RefuseByPolicy(refusal);
        }

        _transaction.Add(asked);
        State = SessionState.HasRecipients;
        return new SessionAction.Say(Replies.RecipientOk);
    }

    /// <summary>A chunk that was not the last has been taken, or refused.</summary>
    public SessionAction AnswerChunk(Reply? refusal)
    {
        if (refusal is null)
        {
            State = SessionState.ReceivingChunks;
            return new SessionAction.Say(Replies.ChunkOk);
        }

        _transaction.ChunksFailed = true;
        State = SessionState.ReceivingChunks;
        return new SessionAction.Say(refusal);
    }

    /// <summary>The content is kept or refused; either way the transaction is over.</summary>
    public SessionAction AnswerContent(Reply reply)
    {
        EndTransaction();
        if (reply.IsPositive)
        {
            Messages++;
        }

        return reply.Code == 421 ? new SessionAction.HangUp(reply) : new SessionAction.Say(reply);
    }

    private SessionAction Do(Command command) => command switch
    {
        Command.Hello hello => DoHello(hello),
        Command.Auth auth => StartAuth(auth),
        Command.Mail mail => DoMail(mail),
        Command.Rcpt rcpt => DoRcpt(rcpt),
        Command.Bdat bdat => DoBdat(bdat),
        _ => command.Verb switch
        {
            Verb.StartTls => DoStartTls(),
            Verb.Data => new SessionAction.ReadData(Replies.StartContent, Envelope!),
            Verb.Rset => DoReset(),
            Verb.Noop => new SessionAction.Say(Replies.Ok),
            Verb.Vrfy => new SessionAction.Say(Replies.CannotVerify),
            Verb.Help => new SessionAction.Say(Replies.Help),
            _ => new SessionAction.HangUp(Replies.Bye),
        },
    };

    private ImmutableArray<string> Offered =>
        SaslServer.Offer(context.Mechanisms, Tls is { ServerEndPoint.IsEmpty: false }, Tls is { Client: not null });

    private SessionAction StartAuth(Command.Auth auth) =>
        _sasl.Start(auth, Offered, Tls) is { } action ? Settle(action) : Refuse(Replies.AuthMechanismUnknown);

    /// <summary>An exchange that succeeded logs in; what the client did wrong in one counts among its errors.</summary>
    private SessionAction Settle(SessionAction action)
    {
        if (Grant is null && _sasl.Grant is { } grant)
        {
            Grant = grant;
            State = SessionState.Authenticated;
        }

        return action is SessionAction.LoginFailed { Failure: not LoginFailure.Wrong, Next: SessionAction.Say say } failed && !say.Reply.IsTransient
            ? failed with { Next = Refuse(say.Reply) }
            : action;
    }

    private SessionAction DoHello(Command.Hello hello)
    {
        EndTransaction();
        HeloName = hello.Name;
        State = Grant is null ? SessionState.Identified : SessionState.Authenticated;
        return new SessionAction.Say(hello.Extended ? Advertise() : new Reply(250, null, context.Hostname));
    }

    /// <summary>Only what is true here and now.</summary>
    private Reply Advertise()
    {
        var lines = ImmutableArray.CreateBuilder<string>();
        lines.Add(context.Hostname);
        lines.Add("PIPELINING");
        lines.Add("SIZE " + context.Limits.MessageBytes.ToString(CultureInfo.InvariantCulture));
        if (context.StartTls && Tls is null)
        {
            lines.Add("STARTTLS");
        }

        if (Grant is null && (Tls is not null || context.AuthWithoutTls) && Offered is { IsEmpty: false } offered)
        {
            lines.Add("AUTH " + string.Join(' ', offered));
        }

        lines.AddRange("ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN");
        lines.Add(string.Create(
            CultureInfo.InvariantCulture, $"LIMITS MAILMAX={context.Limits.MessagesPerSession} RCPTMAX={context.Limits.Recipients}"));
        return new Reply(250, null, lines.ToImmutable());
    }

    private SessionAction DoStartTls()
    {
        if (Tls is not null)
        {
            return Refuse(Replies.AlreadyTls);
        }

        if (!context.StartTls)
        {
            return Refuse(Replies.NoStartTls);
        }

        // What was said before TLS counts no more (RFC 3207 §4.2), and a login is not said twice.
        return Grant is null ? new SessionAction.BeginTls(Replies.ReadyForTls) : Refuse(Replies.AlreadyLoggedIn);
    }

    private SessionAction DoMail(Command.Mail mail)
    {
        if (Messages >= context.Limits.MessagesPerSession)
        {
            return new SessionAction.HangUp(Replies.TooManyMessages);
        }

        if (mail.ReversePath.Mailbox is { IsFullyQualified: false } sender)
        {
            return Refuse(Replies.NotFullyQualified(sender, sender: true));
        }

        if (mail.DeclaredBytes > context.Limits.MessageBytes)
        {
            return RefuseByPolicy(Replies.TooBig(context.Limits.MessageBytes));
        }

        _askedMail = mail;
        return new SessionAction.AskSender(mail.ReversePath, mail.DeclaredBytes);
    }

    private SessionAction DoRcpt(Command.Rcpt rcpt)
    {
        var mailbox = rcpt.Recipient.Path.Mailbox;
        if (mailbox.NeedsSmtpUtf8 && !_transaction.SmtpUtf8)
        {
            return Refuse(Replies.NeedsSmtpUtf8(mailbox));
        }

        if (!mailbox.IsFullyQualified)
        {
            return Refuse(Replies.NotFullyQualified(mailbox, sender: false));
        }

        if (_transaction.Has(mailbox))
        {
            return new SessionAction.Say(Replies.RecipientOk); // the same mailbox twice is one recipient, and the client need not know
        }

        if (_transaction.Recipients >= context.Limits.Recipients)
        {
            return Refuse(Replies.TooManyRecipients, counts: false);
        }

        _askedRecipient = rcpt.Recipient;
        return new SessionAction.AskRecipient(rcpt.Recipient);
    }

    private SessionAction DoBdat(Command.Bdat bdat)
    {
        if (bdat.Bytes > context.Limits.MessageBytes)
        {
            return new SessionAction.HangUp(Replies.TooBig(context.Limits.MessageBytes)); // not worth reading to its end
        }

        var fits = _transaction.TakesChunk(bdat.Bytes, context.Limits.MessageBytes);
        if (_transaction.ChunksFailed || !fits)
        {
            var refusal = _transaction.ChunksFailed ? Replies.TransactionFailed : Replies.TooBig(context.Limits.MessageBytes);
            _transaction.ChunksFailed = true;
            State = SessionState.ReceivingChunks;
            return new SessionAction.ReadChunk(bdat.Bytes, bdat.Last, null, refusal);
        }

        return new SessionAction.ReadChunk(bdat.Bytes, bdat.Last, Envelope, null);
    }

    private SessionAction.Say DoReset()
    {
        EndTransaction();
        return new SessionAction.Say(Replies.Ok);
    }

    private void EndTransaction()
    {
        _transaction.End();
        if (State > SessionState.Authenticated)
        {
            State = SessionState.Authenticated;
        }
    }

    /// <summary>A refused BDAT still has its octets behind it: they are read and thrown away (RFC 3030 §2).</summary>
    private SessionAction Refused(Command command, Reply refusal)
    {
        if (command is not Command.Bdat bdat)
        {
            return Refuse(refusal);
        }

        if (++_errors >= context.Limits.Errors)
        {
            return new SessionAction.HangUp(Replies.TooManyErrors);
        }

        // Whoever has not logged in is not read on for.
        return bdat.Bytes > context.Limits.MessageBytes || (Grant is null && bdat.Bytes > 0)
            ? new SessionAction.HangUp(refusal)
            : new SessionAction.ReadChunk(bdat.Bytes, bdat.Last, null, refusal);
    }

    private SessionAction Refuse(Reply refusal, bool counts = true) =>
        counts && ++_errors >= context.Limits.Errors ? new SessionAction.HangUp(Replies.TooManyErrors) : RefuseOrClose(refusal);

    /// <summary>The client's command is right and its sender or recipient is not: no error of the client, but not without end either.</summary>
    private SessionAction RefuseByPolicy(Reply refusal) =>
        ++_policyRefusals >= context.Limits.PolicyRefusals ? new SessionAction.HangUp(Replies.TooManyRefusals) : RefuseOrClose(refusal);

    private static SessionAction RefuseOrClose(Reply refusal) =>
        refusal.Code == 421 ? new SessionAction.HangUp(refusal) : new SessionAction.Say(refusal);
}
