using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>One line of the ledger: what was sent, and what of it the breaker goes by.</summary>
/// <param name="Sent">All that was kept, held mail too: what limits go by.</param>
/// <param name="Passed">What went out and may depart from the usual: not what is held, nor what comes from a trusted network.</param>
/// <param name="Settled">Recipients relayed or failed.</param>
/// <param name="Failed">Of those.</param>
internal readonly record struct UsageAmount(SendingAmount Sent, SendingAmount Passed, long Settled, long Failed)
{
    public UsageAmount(SendingAmount sent)
        : this(sent, default, 0, 0)
    {
    }

    /// <summary>Numbers it consists of.</summary>
    public const int Measures = 11;

    /// <summary>By its number in the store: numbers only grow.</summary>
    public long this[int measure] => measure switch
    {
        0 => Sent.Messages,
        1 => Sent.Recipients,
        2 => Sent.FirstTimeRecipients,
        3 => Sent.Bytes,
        4 => Sent.Connections,
        5 => Passed.Messages,
        6 => Passed.Recipients,
        7 => Passed.FirstTimeRecipients,
        8 => Passed.Bytes,
        9 => Settled,
        10 => Failed,
        _ => 0,
    };

    /// <summary>The same with one of its numbers; one of a later release is passed over.</summary>
    public UsageAmount With(int measure, long value) => measure switch
    {
        0 => this with { Sent = Sent with { Messages = value } },
        1 => this with { Sent = Sent with { Recipients = value } },
        2 => this with { Sent = Sent with { FirstTimeRecipients = value } },
        3 => this with { Sent = Sent with { Bytes = value } },
        4 => this with { Sent = Sent with { Connections = value } },
        5 => this with { Passed = Passed with { Messages = value } },
        6 => this with { Passed = Passed with { Recipients = value } },
        7 => this with { Passed = Passed with { FirstTimeRecipients = value } },
        8 => this with { Passed = Passed with { Bytes = value } },
        9 => this with { Settled = value },
        10 => this with { Failed = value },
        _ => this,
    };

    /// <summary>What is left when nothing is held against the login any more.</summary>
    public UsageAmount WithoutBreaker => new(Sent);

    /// <summary>What is left when its limits begin anew.</summary>
    public UsageAmount WithoutSent => this with { Sent = default };

    public static UsageAmount operator +(UsageAmount a, UsageAmount b) =>
        new(a.Sent + b.Sent, a.Passed + b.Passed, a.Settled + b.Settled, a.Failed + b.Failed);

    public static UsageAmount operator -(UsageAmount a, UsageAmount b) =>
        new(a.Sent - b.Sent, a.Passed - b.Passed, a.Settled - b.Settled, a.Failed - b.Failed);
}

/// <summary>What the breaker goes by of one login: passed within the last hour and day, what is under way counted in.</summary>
/// <param name="Settled">Recipients relayed or failed within the last day.</param>
internal readonly record struct PassedUsage(SendingAmount Hour, SendingAmount Day, long Settled, long Failed);
