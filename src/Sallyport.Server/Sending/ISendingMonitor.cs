using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>
/// Asked of every message right before it is committed, when its limits have let it pass. May be asked by many sessions at once; waits
/// for nothing.
/// </summary>
public interface ISendingMonitor
{
    /// <summary>Does it go out? Asked under the ledger's lock: decides, and calls nobody.</summary>
    SendingDecision Evaluate(SendingFacts facts);

    /// <summary>The decision is made; under no lock.</summary>
    void Announce(SendingDecision decision)
    {
    }

    /// <summary>So much is in the spool.</summary>
    /// <param name="held">It goes nowhere for now.</param>
    void Committed(string login, SendingAmount amount, bool held)
    {
    }

    /// <summary>Asked at MAIL: false when so much of the login is held that nothing more is taken.</summary>
    bool HasRoomFor(string login, ImmutableArray<string> groups) => true;
}

/// <summary>Lets all pass.</summary>
public sealed class NoMonitor : ISendingMonitor
{
    public SendingDecision Evaluate(SendingFacts facts) => new(null);
}

/// <param name="HoldReason">Null lets the message pass; else why it is held: <see cref="Store.MessageRecord.HoldReason"/>.</param>
/// <param name="Counts">What passes counts against what the login may do.</param>
/// <param name="Trip">It was stopped by this very message.</param>
public readonly record struct SendingDecision(string? HoldReason, bool Counts = true, Trip? Trip = null);

/// <summary>A message about to be committed, and what of its login has passed before.</summary>
/// <param name="Amount">Of this message.</param>
public sealed record SendingFacts(string Login, ImmutableArray<string> Groups, IPAddress Client, DateTimeOffset At, SendingAmount Amount)
{
    /// <summary>Recipients of such a sample.</summary>
    public const int SampleMax = 5;

    internal SendingFacts(
        string login, ImmutableArray<string> groups, IPAddress client, DateTimeOffset at, SendingAmount amount, PassedUsage passed)
        : this(login, groups, client, at, amount) => Passed = passed;

    /// <summary>Some of the recipients, for whoever has to judge what this is.</summary>
    public ImmutableArray<string> Sample { get; init; } = [];

    /// <summary>Without this message, and with what other sessions of the login have under way.</summary>
    internal PassedUsage Passed { get; }
}

/// <summary>What a login has sent, taken at one moment.</summary>
/// <param name="UnderWay">Messages begun and not committed, their recipients and bytes; sessions open. In the counts besides the connections.</param>
/// <param name="Networks">IPv4 addresses and IPv6 /64s it logged in from within the last day, up to <see cref="UsageLedger.NetworksMax"/>.</param>
/// <param name="Contacts">Recipients it is known to have written to.</param>
/// <param name="ContactsLoaded">False while the store has not told who they are: then nobody counts as new.</param>
public sealed record SendingActivity(
    SendingAmount Minute,
    SendingAmount Hour,
    SendingAmount Day,
    SendingAmount UnderWay,
    int Networks,
    int Contacts,
    bool ContactsLoaded);
