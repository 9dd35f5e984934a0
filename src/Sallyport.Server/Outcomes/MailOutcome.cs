using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Server.Outcomes;

/// <summary>What has become of mail, told once the store has it on stable storage.</summary>
public abstract record MailOutcome
{
    private MailOutcome()
    {
    }

    /// <summary>A message was committed: accepted to be relayed, or held.</summary>
    /// <param name="HoldReason">Null when it is not held.</param>
    public sealed record MessageKept(QueueId Id, string Login, int Recipients, string? HoldReason, DateTimeOffset At) : MailOutcome;

    /// <summary>An attempt for a recipient has ended and is recorded.</summary>
    /// <param name="Login">Empty for a report of ours.</param>
    /// <param name="State">Due means deferred: it is tried again.</param>
    /// <param name="Tried">False when its next hop was not asked: it only waits longer.</param>
    public sealed record RecipientSettled(
        QueueId Id, string Login, string Recipient, RecipientState State, string NextHop, string Reply, int Attempts,
        DateTimeOffset? NextAttemptAt, bool Tried, DateTimeOffset At) : MailOutcome
    {
        /// <summary>Why it was not relayed; none when it was.</summary>
        public RelayFailure Cause { get; init; }
    }
}

/// <summary>Hears of outcomes: one at a time and in the order they were published.</summary>
public interface IOutcomeSubscriber
{
    /// <summary>Names it in the log.</summary>
    string Name { get; }

    /// <summary>Behind the sessions and the relay: it may wait, and what it throws is logged and costs this outcome alone.</summary>
    ValueTask TakeAsync(MailOutcome outcome);
}
