using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>
/// Asked of every message right before it is committed, when its limits have let it pass and it is counted. May be asked by many
/// sessions at once; waits for nothing.
/// </summary>
public interface ISendingMonitor
{
    /// <summary>Null lets the message go; else why it is held: <see cref="Store.SubmissionRecord.HoldReason"/>.</summary>
    string? Judge(SendingFacts facts);

    /// <summary>Asked at MAIL: false when so much of the login is held that nothing more is taken.</summary>
    bool HasRoomFor(string login, ImmutableArray<string> groups) => true;
}

/// <summary>Lets all go.</summary>
public sealed class NoMonitor : ISendingMonitor
{
    public string? Judge(SendingFacts facts) => null;
}

/// <summary>A message about to be committed, and what its login has sent.</summary>
/// <param name="Recipients">Of this message.</param>
/// <param name="FirstTimeRecipients">Of these, who the login has not written to before, outside its own domains.</param>
/// <param name="Activity">With this message, and with what other sessions of the login have under way.</param>
public sealed record SendingFacts(
    string Login,
    ImmutableArray<string> Groups,
    IPAddress Client,
    DateTimeOffset At,
    int Recipients,
    int FirstTimeRecipients,
    long Bytes,
    SendingActivity Activity)
{
    /// <summary>Recipients of such a sample.</summary>
    public const int SampleMax = 5;

    /// <summary>Some of the recipients, for whoever has to judge what this is.</summary>
    public ImmutableArray<string> Sample { get; init; } = [];
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
