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
