using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Store;

namespace Sallyport.Server.Outcomes;

/// <summary>What became of a recipient, and when.</summary>
/// <param name="State">Due means deferred: it is tried again.</param>
public sealed record RecentOutcome(
    string Recipient, RecipientState State, string NextHop, string Reply, int Attempts, DateTimeOffset? NextAttemptAt, DateTimeOffset At)
{
    /// <summary>Why it was not relayed; none when it was.</summary>
    public RelayFailure Cause { get; init; }
}

/// <summary>
/// Remembers the last outcomes, so that a message that has left the queue can still be asked for.
/// In memory only, bounded in number and in time: whoever asks later reads the log.
/// </summary>
public sealed class RecentOutcomes(TimeProvider time) : IOutcomeSubscriber
{
    /// <summary>Outcomes remembered at most.</summary>
    public const int OutcomesMax = 8192;

    /// <summary>How long an outcome is remembered at most.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly Queue<(QueueId Id, RecentOutcome Outcome)> _order = new();
    private readonly Dictionary<QueueId, List<RecentOutcome>> _byId = [];

    public string Name => "the memory of recent outcomes";

    public ValueTask TakeAsync(MailOutcome outcome)
    {
        if (outcome is MailOutcome.RecipientSettled { Tried: true } settled)
        {
            Remember(settled);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>The latest outcome of each recipient of a message; empty when none is remembered.</summary>
    public IReadOnlyList<RecentOutcome> Of(QueueId id)
    {
        lock (_gate)
        {
            Forget(time.GetUtcNow());
            return _byId.TryGetValue(id, out var outcomes)
                ? [.. outcomes.GroupBy(outcome => outcome.Recipient, StringComparer.Ordinal).Select(group => group.Last())]
                : [];
        }
    }

    private void Remember(MailOutcome.RecipientSettled e)
    {
        var now = time.GetUtcNow();
        var outcome = new RecentOutcome(e.Recipient, e.State, e.NextHop, e.Reply, e.Attempts, e.NextAttemptAt, e.At) { Cause = e.Cause };
        lock (_gate)
        {
            _order.Enqueue((e.Id, outcome));
            if (!_byId.TryGetValue(e.Id, out var outcomes))
            {
                _byId.Add(e.Id, outcomes = []);
            }

            outcomes.Add(outcome);
            Forget(now);
        }
    }

    private void Forget(DateTimeOffset now)
    {
        while (_order.TryPeek(out var oldest) && (_order.Count > OutcomesMax || now - oldest.Outcome.At > AgeMax))
        {
            _order.Dequeue();
            if (_byId.TryGetValue(oldest.Id, out var outcomes) && outcomes.Remove(oldest.Outcome) && outcomes.Count == 0)
            {
                _byId.Remove(oldest.Id);
            }
        }
    }
}
