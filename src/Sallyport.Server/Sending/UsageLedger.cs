using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Server.Limits;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>
/// What each login, limited group and the site sends: in memory to decide, written behind to last and to be added up with what other
/// nodes count. One lock for all of it, held for nothing but counting; the breaker decides under it.
/// </summary>
public sealed class UsageLedger : ICounterHolder
{
    /// <summary>Networks remembered of one login.</summary>
    public const int NetworksMax = 256;

    /// <summary>Recipients remembered of one login; beyond it those used longest ago are new again.</summary>
    public const int ContactsPerLoginMax = 100_000;

    /// <summary>Recipients in memory, of all logins; beyond it those of logins idle for longest stay in the store.</summary>
    public const int ContactsInMemoryMax = 1_000_000;

    private static readonly TimeSpan LoadMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ContactsReadEvery = TimeSpan.FromMinutes(1);

    private readonly SiteState _state;
    private readonly ContactHash _hash;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly UsageTable _table;

    private UsageLedger(SiteState state, TimeProvider time) =>
        (_state, _hash, _time, _table) = (state, new ContactHash(state.Keys), time, new UsageTable(state, time.GetUtcNow()));

    CounterKind ICounterHolder.Kind => CounterKind.Usage;

    public static async ValueTask<UsageLedger> LoadAsync(SiteState state, TimeProvider time, CancellationToken cancel)
    {
        var ledger = new UsageLedger(state, time);
        await state.Registry.JoinAsync(ledger, cancel);
        state.Buffer.Collecting += ledger.Collect;
        return ledger;
    }

    /// <summary>
    /// Reads whom a login has written to, or what of that other nodes have added since. Gives up after a while: then nobody counts as new
    /// to it.
    /// </summary>
    public async ValueTask LoadContactsAsync(string login)
    {
        long cursor;
        lock (_gate)
        {
            var contacts = ContactsOf(login);
            if (contacts.IsLoaded && _time.GetUtcNow() - contacts.LoadedAt < ContactsReadEvery)
            {
                return;
            }

            cursor = contacts.Cursor;
        }

        try
        {
            var segments = await _state.Store.Contacts.ListAsync(login, cursor, default).AsTask().WaitAsync(LoadMax, _time);
            lock (_gate)
            {
                if (ContactsOf(login) is { } contacts && contacts.Cursor == cursor)
                {
                    contacts.Load(segments, _time.GetUtcNow());
                }
            }
        }
        catch (Exception exception) when (exception is StoreException or TimeoutException)
        {
            // The next message asks again.
        }
    }

    void ICounterHolder.Apply(Counter counter)
    {
        lock (_gate)
        {
            _table.Apply(counter);
        }
    }

    /// <summary>Each limit that applies, then what else <paramref name="subject"/> has used.</summary>
    public IReadOnlyList<LimitUse> UsesOf(string subject, ImmutableArray<AppliedQuota> quotas)
    {
        lock (_gate)
        {
            return UsageReport.UsesOf(_table, subject, quotas, _time.GetUtcNow());
        }
    }

    /// <summary>Whoever has sent or come within the last day, the busiest first.</summary>
    public IReadOnlyList<(string Subject, SendingActivity Activity)> Busiest(int most)
    {
        lock (_gate)
        {
            return UsageReport.Busiest(_table, most, _time.GetUtcNow());
        }
    }

    /// <summary>Nothing is counted against it any more but what is under way. Whom a login has written to stays known.</summary>
    public void Reset(string subject)
    {
        lock (_gate)
        {
            var usage = _table.FindPruned(subject, _time.GetUtcNow());
            usage.Clear(one => one.WithoutSent);
            _table.Changed(usage);
        }
    }

    /// <summary>A login has succeeded from there: counts, and opens a session that the caller ends.</summary>
    public LimitReached? TryConnect(SendingLogin login, IPAddress client, out SendingConnection? connection)
    {
        var one = new SendingAmount(0, 0, 0, 0, Connections: 1);
        connection = null;
        lock (_gate)
        {
            var (counted, limits, now) = (Counted(login), LimitsOf(login), _time.GetUtcNow());
            if (Reserve(counted, limits, one, now) is { } reached)
            {
                return reached;
            }

            counted[0].SeenFrom(ConnectionGate.NetworkOf(client), now, NetworksMax);
            foreach (var usage in counted)
            {
                Count(usage, new UsageAmount(one), now);
            }

            connection = new SendingConnection(this, counted);
            return null;
        }
    }

    /// <summary>MAIL: one message of so many bytes, 0 when it does not say. The caller settles the transaction.</summary>
    public LimitReached? TryBegin(SendingLogin login, long declaredBytes, out SendingTransaction? transaction)
    {
        var asked = new SendingAmount(Messages: 1, 0, 0, declaredBytes, 0);
        transaction = null;
        lock (_gate)
        {
            var (counted, limits) = (Counted(login), LimitsOf(login));
            if (Reserve(counted, limits, asked, _time.GetUtcNow()) is { } reached)
            {
                return reached;
            }

            transaction = new SendingTransaction(this, login, counted, limits) { Amount = asked };
            return null;
        }
    }

    /// <summary>What a login has sent lately.</summary>
    public SendingActivity ActivityOf(string login)
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            return _table.FindPruned(SendingSubject.OfLogin(login), now).Activity(now);
        }
    }

    internal ulong HashOf(Mailbox mailbox) => _hash.Of(mailbox);

    /// <param name="contact">Null for a recipient of the login's own domains.</param>
    internal LimitReached? ReserveRecipient(SendingTransaction transaction, ulong? contact)
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            var isNew = contact is { } hash && !transaction.Counted[0].Contacts!.Knows(hash, now);
            return ReserveMore(transaction, new(0, Recipients: 1, isNew ? 1 : 0, 0, 0), now);
        }
    }

    internal LimitReached? ReserveBytes(SendingTransaction transaction, long bytes)
    {
        lock (_gate)
        {
            // More is asked for as a whole, so that a message larger than is ever allowed is told so.
            var before = transaction.Amount with { Messages = 0, Recipients = 0, FirstTimeRecipients = 0 };
            Return(transaction, before);
            var reached = ReserveMore(transaction, before with { Bytes = bytes }, _time.GetUtcNow());
            return reached;
        }
    }

    /// <summary>Asks the monitor of what is about to be committed; what it passes is reserved until the transaction's end.</summary>
    internal SendingDecision Evaluate(SendingTransaction transaction, ISendingMonitor monitor, IPAddress client, ImmutableArray<string> sample)
    {
        lock (_gate)
        {
            var (login, amount, now, own) = (transaction.Login, transaction.Amount, _time.GetUtcNow(), transaction.Counted[0]);
            var decision = monitor.Evaluate(new SendingFacts(
                login.Login, login.Groups, client, now, amount with { Connections = 0 }, own.Passed(now))
            { Sample = sample });
            if (decision is { HoldReason: null, Counts: true })
            {
                transaction.Passed = amount;
                own.ReservePassed(amount);
            }

            return decision;
        }
    }

    internal void Settle(SendingTransaction transaction, bool held)
    {
        lock (_gate)
        {
            var (now, own) = (_time.GetUtcNow(), transaction.Counted[0]);
            own.ReleasePassed(transaction.Passed);
            foreach (var usage in transaction.Counted)
            {
                usage.Release(transaction.Amount);
                Count(usage, new UsageAmount(transaction.Amount, usage == own && !held ? transaction.Passed : default, 0, 0), now);
            }

            if (held)
            {
                return;
            }

            foreach (var contact in transaction.Contacts)
            {
                own.Contacts!.Learn(contact, now, ContactsPerLoginMax);
            }
        }
    }

    internal void Release(SendingTransaction transaction)
    {
        lock (_gate)
        {
            transaction.Counted[0].ReleasePassed(transaction.Passed);
            Return(transaction, transaction.Amount);
        }
    }

    /// <summary>What the breaker goes by of a login.</summary>
    internal PassedUsage PassedOf(string login)
    {
        lock (_gate)
        {
            return _table.FindKnown(SendingSubject.OfLogin(login)) is { } usage ? usage.Passed(_time.GetUtcNow()) : default;
        }
    }

    /// <summary>Nothing the breaker goes by is held against the login any more. What it has sent counts on for its limits.</summary>
    /// <returns>What had passed within the last day.</returns>
    internal SendingAmount ClearPassed(string login)
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            var usage = _table.FindPruned(SendingSubject.OfLogin(login), now);
            var day = usage.Passed(now).Day;
            usage.Clear(one => one.WithoutBreaker);
            _table.Changed(usage);
            return day;
        }
    }

    /// <summary>What became of a recipient; counts where something of the login has passed within the last day.</summary>
    internal void CountOutcome(string login, bool failed)
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            if (_table.FindKnown(SendingSubject.OfLogin(login)) is { } usage && !usage.Passed(now).Day.IsZero)
            {
                Count(usage, new UsageAmount(default, default, 1, failed ? 1 : 0), now);
            }
        }
    }

    internal void End(SendingConnection connection)
    {
        lock (_gate)
        {
            foreach (var usage in connection.Counted)
            {
                usage.Release(new SendingAmount(0, 0, 0, 0, Connections: 1));
            }
        }
    }

    private void Collect()
    {
        lock (_gate)
        {
            _table.Collect(_time.GetUtcNow());
        }
    }

    private LimitReached? ReserveMore(SendingTransaction transaction, SendingAmount more, DateTimeOffset now)
    {
        if (Reserve(transaction.Counted, transaction.Limits, more, now) is { } reached)
        {
            return reached;
        }

        transaction.Amount += more;
        return null;
    }

    private static void Return(SendingTransaction transaction, SendingAmount amount)
    {
        foreach (var usage in transaction.Counted)
        {
            usage.Release(amount);
        }

        transaction.Amount -= amount;
    }

    /// <summary>All or nothing: null when every limit lets it pass, and it is reserved then.</summary>
    private static LimitReached? Reserve(
        SubjectUsage[] counted, (SubjectUsage Usage, Quota Quota)[] limits, SendingAmount asked, DateTimeOffset now)
    {
        LimitReached? reached = null;
        foreach (var (usage, quota) in limits)
        {
            usage.Prune(now);
            reached = SubjectUsage.Later(reached, usage.Check(quota.Limits, asked));
        }

        if (reached is not null)
        {
            return reached;
        }

        foreach (var usage in counted)
        {
            usage.Reserve(asked, now);
        }

        return null;
    }

    private void Count(SubjectUsage usage, UsageAmount amount, DateTimeOffset now)
    {
        usage.Count(amount, now);
        _table.Changed(usage);
    }

    /// <summary>The login itself first, then the site, then whoever shares a limit with it.</summary>
    private SubjectUsage[] Counted(SendingLogin login) =>
    [
        .. new[] { SendingSubject.OfLogin(login.Login), SendingSubject.Site }.Concat(login.Quotas.Select(applied => applied.Subject))
            .Distinct().Select(_table.Find),
    ];

    private (SubjectUsage Usage, Quota Quota)[] LimitsOf(SendingLogin login) =>
        [.. login.Quotas.Select(applied => (_table.Find(applied.Subject), applied.Quota))];

    private ContactList ContactsOf(string login) => _table.Find(SendingSubject.OfLogin(login)).Contacts!;
}
