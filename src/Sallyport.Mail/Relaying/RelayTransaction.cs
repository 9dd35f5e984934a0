using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Relaying;

public enum RelayPhase
{
    /// <summary>MAIL, RCPT, DATA are being sent and answered.</summary>
    Commands,

    /// <summary>354 came and somebody was accepted: send the content.</summary>
    Content,

    /// <summary>354 came for nobody, as can happen with pipelining: send a lone dot (RFC 2920 §3.1).</summary>
    EmptyContent,

    /// <summary>The final dot is sent, its reply awaited.</summary>
    Final,

    Done,
}

/// <summary>
/// One mail transaction from the client's side, without IO: gives the commands to send, takes the replies in their order, and
/// says what became of each recipient.
/// </summary>
public sealed class RelayTransaction
{
    private readonly RelayMail _mail;
    private readonly NextHopCapabilities _hop;
    private readonly RelayVerdict?[] _verdicts;
    private readonly bool[] _accepted;
    private int _sent;
    private int _answered;
    private bool _nobody;

    public RelayTransaction(RelayMail mail, NextHopCapabilities hop)
    {
        _mail = mail;
        _hop = hop;
        _verdicts = new RelayVerdict?[mail.Recipients.Length];
        _accepted = new bool[mail.Recipients.Length];
        if (Impediment() is var (failure, reply))
        {
            Settle(new RelayVerdict(0, VerdictKind.Failed, reply) { IsLocal = true, IsImpediment = true, Failure = failure });
            Phase = RelayPhase.Done;
        }
    }

    public RelayPhase Phase { get; private set; } = RelayPhase.Commands;

    /// <summary>Replies to commands already taken by <see cref="TakeCommands"/>.</summary>
    public int Awaited => _sent - _answered;

    /// <summary>True when the connection must not be used again: a 421 came, it was lost, or the content broke off within DATA.</summary>
    public bool ConnectionOver { get; private set; }

    public HostState HostState { get; private set; }

    /// <summary>One for each recipient, once <see cref="Phase"/> is Done.</summary>
    public IEnumerable<RelayVerdict> Verdicts => _verdicts.Select(verdict => verdict!);

    /// <summary>MAIL was accepted and no content followed: RSET must come before the next MAIL (RFC 5321 §4.1.1.5).</summary>
    public bool IsLeftOpen { get; private set; }

    private int Count => _mail.Recipients.Length + 2;

    /// <summary>The commands to send now: all of them with PIPELINING, else one. Empty when replies are awaited.</summary>
    public string TakeCommands()
    {
        if (Phase != RelayPhase.Commands || Awaited > 0)
        {
            return "";
        }

        if (!_hop.Pipelining)
        {
            return Command(_sent++);
        }

        var text = new StringBuilder();
        while (_sent < Count)
        {
            text.Append(Command(_sent++));
        }

        return text.ToString();
    }

    public void Receive(Reply reply)
    {
        // 503 means that the two sides do not agree where in the conversation they are: nothing it says is about this message.
        if (reply.Code == 421 || (reply.Code == 503 && !IsEcho()))
        {
            ConnectionOver = true;
            HostState = HostState.Disconnected;
        }

        if (Phase is RelayPhase.Final)
        {
            IsLeftOpen = false;
            Final(reply);
            return;
        }

        var step = _answered++;
        if (step == 0)
        {
            AnswerMail(reply);
        }
        else if (step <= _mail.Recipients.Length)
        {
            AnswerRecipient(step - 1, reply);
        }
        else
        {
            AnswerData(reply);
        }

        if (ConnectionOver && Phase != RelayPhase.Done)
        {
            End(VerdictKind.Deferred, reply, Disconnection(reply));
        }
    }

    /// <summary>
    /// The final dot, or the lone one, is about to be written: from here on the next hop may have the message, whatever we hear.
    /// </summary>
    public void ContentSent()
    {
        _nobody = Phase == RelayPhase.EmptyContent;
        Phase = RelayPhase.Final;
    }

    /// <summary>The connection broke, or a deadline passed. Behind the final dot the next hop may have taken the message.</summary>
    /// <param name="failure">What broke it, where nothing but that is lost.</param>
    public void Lost(string why, RelayFailure failure = RelayFailure.ConnectionLost)
    {
        ConnectionOver = true;
        HostState = HostState.Disconnected;
        var maybeTwice = Phase == RelayPhase.Final && !_nobody;
        Settle(new RelayVerdict(0, VerdictKind.Deferred, new Reply(451, new(4, 4, 2), why), maybeTwice, WholeHost: !maybeTwice)
        {
            IsLocal = true,
            Failure = maybeTwice ? RelayFailure.ContentReplyLost : failure,
        });
        Phase = RelayPhase.Done;
    }

    /// <summary>The content could not be read, or cannot go over the wire as it is kept. Not the host's fault; it got no final dot.</summary>
    public void Damaged(string why)
    {
        ConnectionOver = true;
        Settle(new RelayVerdict(0, VerdictKind.Damaged, new Reply(451, new(4, 3, 0), why))
        {
            IsLocal = true,
            Failure = RelayFailure.ContentUnreadable,
        });
        Phase = RelayPhase.Done;
    }

    private void AnswerMail(Reply reply)
    {
        if (reply.Code / 100 == 2)
        {
            IsLeftOpen = true;
            return;
        }

        // "Log in first" is about our configuration, not about this message: it must not bounce.
        var us = reply.Code is 530 or 534 or 535 or 538;
        var kind = reply.IsPermanent && reply.Code != 503 && !us ? VerdictKind.Failed : VerdictKind.Deferred;
        if (kind == VerdictKind.Deferred && HostState == HostState.Healthy)
        {
            HostState = us ? HostState.RejectsCredentials : HostState.Busy;
        }

        var failure = ConnectionOver ? Disconnection(reply) : us ? RelayFailure.LoginDemanded
            : kind == VerdictKind.Failed ? RelayFailure.SenderRejected : RelayFailure.HostBusy;
        Settle(new RelayVerdict(0, kind, reply, WholeHost: kind == VerdictKind.Deferred) { Failure = failure });
        EndUnlessPipelined();
    }

    private void AnswerRecipient(int index, Reply reply)
    {
        if (_verdicts[index] is not null || reply.Code == 421)
        {
            return; // MAIL was refused and this only repeats it, or the host goes down, which is about nobody in particular
        }

        if (reply.Code / 100 == 2)
        {
            _accepted[index] = true;
        }
        else if (reply.Code == 452 && _accepted.Contains(true))
        {
            _verdicts[index] = new RelayVerdict(_mail.Recipients[index].Number, VerdictKind.Overflow, reply)
            {
                Failure = RelayFailure.RecipientDeferred,
            };
        }
        else
        {
            var kind = reply.IsPermanent && reply.Code != 503 ? VerdictKind.Failed : VerdictKind.Deferred;
            _verdicts[index] = new RelayVerdict(_mail.Recipients[index].Number, kind, reply, WholeHost: ConnectionOver)
            {
                Failure = ConnectionOver ? Disconnection(reply) : kind == VerdictKind.Failed ? RelayFailure.RecipientRejected
                    : reply.Enhanced is { Subject: 7 } ? RelayFailure.Greylisted : RelayFailure.RecipientDeferred,
            };
        }

        if (index == _mail.Recipients.Length - 1 && !_accepted.Contains(true))
        {
            EndUnlessPipelined();
        }
    }

    private void AnswerData(Reply reply)
    {
        if (reply.Code == 354)
        {
            Phase = _accepted.Contains(true) ? RelayPhase.Content : RelayPhase.EmptyContent;
        }
        else
        {
            EndContent(reply.IsPermanent && reply.Code != 503 ? VerdictKind.Failed : VerdictKind.Deferred, reply);
        }
    }

    /// <summary>Behind a refused MAIL, or with no recipient accepted, 503 only follows from what was said before.</summary>
    private bool IsEcho() => Phase == RelayPhase.Commands && _answered > 0 && !_accepted.Contains(true)
        && (!IsLeftOpen || _answered > _mail.Recipients.Length);

    private void Final(Reply reply)
    {
        var kind = reply.Code / 100 == 2 ? VerdictKind.Relayed : reply.IsPermanent ? VerdictKind.Failed : VerdictKind.Deferred;
        EndContent(kind, reply);
    }

    private void EndContent(VerdictKind kind, Reply reply) => End(kind, reply,
        kind == VerdictKind.Relayed ? RelayFailure.None : ConnectionOver ? Disconnection(reply)
        : kind == VerdictKind.Failed ? RelayFailure.ContentRejected : RelayFailure.ContentDeferred);

    private static RelayFailure Disconnection(Reply reply) => reply.Code == 421 ? RelayFailure.HostBusy : RelayFailure.ProtocolViolation;

    /// <summary>With pipelining DATA is on its way and will be answered.</summary>
    private void EndUnlessPipelined()
    {
        if (!_hop.Pipelining)
        {
            Phase = RelayPhase.Done;
        }
    }

    private void End(VerdictKind kind, Reply reply, RelayFailure failure)
    {
        Settle(new RelayVerdict(0, kind, reply, WholeHost: kind == VerdictKind.Deferred) { Failure = failure });
        Phase = RelayPhase.Done;
    }

    /// <summary>For all who have no verdict yet.</summary>
    private void Settle(RelayVerdict verdict)
    {
        for (var i = 0; i < _verdicts.Length; i++)
        {
            _verdicts[i] ??= verdict with { Number = _mail.Recipients[i].Number };
        }
    }

    /// <summary>What the next hop cannot carry is said before anything is sent.</summary>
    private (RelayFailure Failure, Reply Reply)? Impediment()
    {
        if (NeedsSmtpUtf8() && !_hop.SmtpUtf8)
        {
            return (RelayFailure.SmtpUtf8NotSupported,
                new Reply(553, new(5, 6, 7), "The next server takes no internationalised mail (SMTPUTF8)"));
        }

        if (IsEightBit && !_hop.EightBitMime)
        {
            return (RelayFailure.EightBitNotSupported, new Reply(554, new(5, 6, 3), "The next server takes no 8-bit content (8BITMIME)"));
        }

        return _hop.SizeMax > 0 && _mail.ContentBytes > _hop.SizeMax
            ? (RelayFailure.TooLarge, new Reply(552, new(5, 3, 4), string.Create(CultureInfo.InvariantCulture,
                $"The message has {_mail.ContentBytes} octets; the next server takes {_hop.SizeMax}")))
            : null;
    }

    private bool IsEightBit => _mail.EightBit || _mail.Utf8Header;

    /// <summary>Said by the client and true: an address, or the header, has octets beyond ASCII. An 8-bit body needs no SMTPUTF8.</summary>
    private bool NeedsSmtpUtf8() => _mail.SmtpUtf8
        && (_mail.Utf8Header || _mail.ReversePath.Mailbox is { NeedsSmtpUtf8: true } || _mail.Recipients.Any(r => r.Path.Mailbox.NeedsSmtpUtf8));

    private string Command(int index) =>
        index == 0 ? Mail() : index <= _mail.Recipients.Length ? Rcpt(_mail.Recipients[index - 1]) : "DATA\r\n";

    private string Mail()
    {
        var text = new StringBuilder("MAIL FROM:").Append(_mail.ReversePath);
        if (_hop.Size)
        {
            text.Append(" SIZE=").Append(_mail.ContentBytes.ToString(CultureInfo.InvariantCulture));
        }

        text.Append(IsEightBit ? " BODY=8BITMIME" : "").Append(NeedsSmtpUtf8() ? " SMTPUTF8" : "");
        if (_hop.Dsn && _mail.Return is { } ret)
        {
            text.Append(ret == DsnReturn.Full ? " RET=FULL" : " RET=HDRS");
        }

        if (_hop.Dsn && _mail.EnvelopeId is { } id)
        {
            text.Append(" ENVID=").Append(Xtext.Encode(id));
        }

        return text.Append("\r\n").ToString();
    }

    private string Rcpt(RelayRecipient recipient)
    {
        var text = new StringBuilder("RCPT TO:").Append(recipient.Path);
        if (_hop.Dsn && recipient.Notify != DsnNotify.Unspecified)
        {
            text.Append(" NOTIFY=").Append(recipient.Notify.ToString().ToUpperInvariant().Replace(" ", "", StringComparison.Ordinal));
        }

        if (_hop.Dsn && recipient.OriginalRecipient is { } original && original.IndexOf(';', StringComparison.Ordinal) is > 0 and var cut)
        {
            text.Append(" ORCPT=").Append(original, 0, cut + 1).Append(Xtext.Encode(original[(cut + 1)..]));
        }

        return text.Append("\r\n").ToString();
    }
}
