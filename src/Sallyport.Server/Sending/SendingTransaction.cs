using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>
/// One message as its limits see it, from MAIL to its end: what it takes is reserved at once, so that many sessions together cannot
/// pass a limit, and is given back unless it is committed. Of one session.
/// </summary>
public sealed class SendingTransaction
{
    private readonly UsageLedger _ledger;
    private readonly HashSet<ulong> _recipients = [];
    private readonly List<ulong> _contacts = [];
    private ISendingMonitor? _monitor;

    internal SendingTransaction(UsageLedger ledger, SendingLogin login, SubjectUsage[] counted, (SubjectUsage Usage, Quota Quota)[] limits)
    {
        (_ledger, Login, Counted, Limits) = (ledger, login, counted, limits);
    }

    public SendingLogin Login { get; }

    /// <summary>Reserved so far.</summary>
    public SendingAmount Amount { get; internal set; }

    /// <summary>Of that, what the monitor has let pass.</summary>
    internal SendingAmount Passed { get; set; }

    internal SubjectUsage[] Counted { get; }

    internal (SubjectUsage Usage, Quota Quota)[] Limits { get; }

    internal bool IsOver { get; private set; }

    /// <summary>Whom it goes to outside the login's own domains.</summary>
    internal IReadOnlyList<ulong> Contacts => _contacts;

    /// <summary>Null when one more recipient may be written to; the same one twice is one.</summary>
    public LimitReached? AddRecipient(Mailbox mailbox)
    {
        var contact = _ledger.HashOf(mailbox);
        if (!_recipients.Add(contact))
        {
            return null;
        }

        var isOwn = Login.OwnDomains.Contains(mailbox.AsciiDomain);
        var reached = _ledger.ReserveRecipient(this, isOwn ? null : contact);
        if (reached is not null)
        {
            _recipients.Remove(contact);
        }
        else if (!isOwn)
        {
            _contacts.Add(contact);
        }

        return reached;
    }

    /// <summary>Takes the content's real length in place of what MAIL declared. Null when it may be sent.</summary>
    public LimitReached? SetBytes(long bytes) => _ledger.ReserveBytes(this, bytes);

    /// <summary>
    /// Why the message about to be committed is held; null when it goes out. What goes out counts for the monitor from this moment, so
    /// that many sessions together cannot pass its limits, and no longer when nothing comes of it.
    /// </summary>
    /// <param name="sample">Some of the recipients, for whoever has to judge what this is.</param>
    public string? ShouldHold(ISendingMonitor monitor, IPAddress client, ImmutableArray<string> sample)
    {
        _monitor = monitor;
        var decision = _ledger.Evaluate(this, monitor, client, sample);
        monitor.Announce(decision);
        return decision.HoldReason;
    }

    /// <summary>It is in the spool and counts from now.</summary>
    /// <param name="held">Nobody has been written to yet: its recipients stay new.</param>
    public void Committed(bool held)
    {
        if (!IsOver)
        {
            IsOver = true;
            _ledger.Settle(this, held);
            _monitor?.Committed(Login.Login, Amount, held);
        }
    }

    /// <summary>Nothing came of it. What was committed stays counted.</summary>
    public void Release()
    {
        if (!IsOver)
        {
            IsOver = true;
            _ledger.Release(this);
        }
    }
}

/// <summary>A session that is logged in.</summary>
public sealed class SendingConnection
{
    private readonly UsageLedger _ledger;
    private bool _isOver;

    internal SendingConnection(UsageLedger ledger, SubjectUsage[] counted) => (_ledger, Counted) = (ledger, counted);

    internal SubjectUsage[] Counted { get; }

    public void End()
    {
        if (!_isOver)
        {
            _isOver = true;
            _ledger.End(this);
        }
    }
}
