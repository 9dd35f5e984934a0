using System.Collections.Immutable;
using System.Globalization;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;

namespace Sallyport.Mail.Smtp;

/// <summary>
/// One client's conversation, from greeting to QUIT, without any IO: takes a command, gives a <see cref="SessionAction"/>.
/// The order of commands is <see cref="SubmissionStateTable"/>'s; this class does what the table allows.
/// </summary>
public sealed partial class SubmissionSession(SubmissionContext context)
{
    private readonly SmtpLimits _limits = context.Limits;
    private readonly List<EnvelopeRecipient> _recipients = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private Command.Mail? _mail;
    private Command.Mail? _askedMail;
    private EnvelopeRecipient? _askedRecipient;
    private long _chunkBytes;
    private bool _chunksFailed;
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
    public Envelope? Envelope => _mail is null
        ? null
        : new(_mail.ReversePath, [.. _recipients], _mail.Body, _mail.SmtpUtf8, _mail.EnvelopeId, _mail.Return);

    public Reply Greeting() => Replies.Greeting(context.Hostname);

    /// <summary>The longest line the next command may have: AUTH brings its initial response along (RFC 4954 §4).</summary>
    public int LineBytesMax => Grant is null && (Tls is not null || context.AuthWithoutTls)
        ? Math.Max(_limits.CommandLineBytes, _limits.AuthLineBytes)
        : _limits.CommandLineBytes;

    /// <param name="lineBytes">Length of its line with CRLF, within <see cref="LineBytesMax"/>.</param>
    public SessionAction Receive(Command command, int lineBytes) =>
        lineBytes > _limits.CommandLineBytes && command.Verb != Verb.Auth ? LineTooLong() : Receive(command);

    public SessionAction Receive(Command command)
    {
        if (command is Command.OtherProtocol)
        {
            return new SessionAction.HangUp(Replies.OtherProtocol);
        }

        if (Grant is null && ++_commandsBeforeLogin > _limits.CommandsBeforeLogin)
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

        _mail = asked;
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

        // The same mailbox twice is one recipient, and the client need not know.
        if (_known.Add(asked.Path.Mailbox.Canonical))
        {
            _recipients.Add(asked);
        }

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

        _chunksFailed = true;
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
        lines.Add("SIZE " + _limits.MessageBytes.ToString(CultureInfo.InvariantCulture));
        if (context.StartTls && Tls is null)
        {
            lines.Add("STARTTLS");
        }

        if (Grant is null && (Tls is not null || context.AuthWithoutTls) && Offered is { IsEmpty: false } offered)
        {
            lines.Add("AUTH " + string.Join(' ', offered));
        }

        lines.AddRange("ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN");
        lines.Add(string.Create(CultureInfo.InvariantCulture, $"LIMITS MAILMAX={_limits.MessagesPerSession} RCPTMAX={_limits.Recipients}"));
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
        if (Messages >= _limits.MessagesPerSession)
        {
            return new SessionAction.HangUp(Replies.TooManyMessages);
        }

        if (mail.ReversePath.Mailbox is { IsFullyQualified: false } sender)
        {
            return Refuse(Replies.NotFullyQualified(sender, sender: true));
        }

        if (mail.DeclaredBytes > _limits.MessageBytes)
        {
            return RefuseByPolicy(Replies.TooBig(_limits.MessageBytes));
        }

        _askedMail = mail;
        return new SessionAction.AskSender(mail.ReversePath, mail.DeclaredBytes);
    }

    private SessionAction DoRcpt(Command.Rcpt rcpt)
    {
        var mailbox = rcpt.Recipient.Path.Mailbox;
        if (mailbox.NeedsSmtpUtf8 && !_mail!.SmtpUtf8)
        {
            return Refuse(Replies.NeedsSmtpUtf8(mailbox));
        }

        if (!mailbox.IsFullyQualified)
        {
            return Refuse(Replies.NotFullyQualified(mailbox, sender: false));
        }

        if (_recipients.Count >= _limits.Recipients && !_known.Contains(mailbox.Canonical))
        {
            return Refuse(Replies.TooManyRecipients, counts: false);
        }

        _askedRecipient = rcpt.Recipient;
        return new SessionAction.AskRecipient(rcpt.Recipient);
    }

    private SessionAction DoBdat(Command.Bdat bdat)
    {
        if (bdat.Bytes > _limits.MessageBytes)
        {
            return new SessionAction.HangUp(Replies.TooBig(_limits.MessageBytes)); // not worth reading to its end
        }

        _chunkBytes = Math.Min(_chunkBytes + bdat.Bytes, _limits.MessageBytes + 1);
        if (_chunksFailed || _chunkBytes > _limits.MessageBytes)
        {
            var refusal = _chunksFailed ? Replies.TransactionFailed : Replies.TooBig(_limits.MessageBytes);
            _chunksFailed = true;
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
        _mail = null;
        _recipients.Clear();
        _known.Clear();
        _chunkBytes = 0;
        _chunksFailed = false;
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

        if (++_errors >= _limits.Errors)
        {
            return new SessionAction.HangUp(Replies.TooManyErrors);
        }

        // Whoever has not logged in is not read on for.
        return bdat.Bytes > _limits.MessageBytes || (Grant is null && bdat.Bytes > 0)
            ? new SessionAction.HangUp(refusal)
            : new SessionAction.ReadChunk(bdat.Bytes, bdat.Last, null, refusal);
    }

    private SessionAction Refuse(Reply refusal, bool counts = true) =>
        counts && ++_errors >= _limits.Errors ? new SessionAction.HangUp(Replies.TooManyErrors) : RefuseOrClose(refusal);

    /// <summary>The client's command is right and its sender or recipient is not: no error of the client, but not without end either.</summary>
    private SessionAction RefuseByPolicy(Reply refusal) =>
        ++_policyRefusals >= _limits.PolicyRefusals ? new SessionAction.HangUp(Replies.TooManyRefusals) : RefuseOrClose(refusal);

    private static SessionAction RefuseOrClose(Reply refusal) =>
        refusal.Code == 421 ? new SessionAction.HangUp(refusal) : new SessionAction.Say(refusal);
}
