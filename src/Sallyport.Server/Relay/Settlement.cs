using System.Globalization;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;
using Sallyport.Server.Reporting;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <param name="Report">The report the sender is owed, if any.</param>
/// <param name="IsLocal">The reply kept is in our own words.</param>
public sealed record Settled(RecipientOutcome Outcome, ReportKind? Report, bool IsLocal);

/// <summary>What a verdict means for a recipient: its next state, its next attempt, and whether the sender hears of it. Pure.</summary>
public static class Settlement
{
    /// <param name="hopReports">True when the next hop does DSN, so that a wish for SUCCESS went with the message.</param>
    /// <param name="untriedUntil">Nothing was tried; by then it can be. Null when something was tried.</param>
    public static Settled Settle(
        SpooledMessage message, SpooledRecipient recipient, RelayVerdict verdict, DateTimeOffset now, RelayOptions options,
        double jitter, bool hopReports = true, DateTimeOffset? untriedUntil = null)
    {
        var receivedAt = message.Record.ReceivedAt;
        var reply = verdict.Reply.ToString();
        switch (verdict.Kind)
        {
            case VerdictKind.Relayed:
                return Make(RecipientState.Relayed, now, reply, verdict.IsLocal ? ReportKind.Delivered : hopReports ? null : ReportKind.Relayed);
            case VerdictKind.Failed:
                return Make(RecipientState.Failed, now, reply, ReportKind.Failed);
        }

        var overflow = verdict.Kind == VerdictKind.Overflow;
        var tried = untriedUntil is null && !overflow;
        var next = tried
            ? RetrySchedule.Next(recipient.Attempts + 1, receivedAt, now, options, jitter)
            : RetrySchedule.NextUntried(untriedUntil ?? now, receivedAt, now, options, overflow ? 0 : jitter);
        if (next is null)
        {
            return Make(RecipientState.Failed, now, Expired(reply, now - receivedAt), ReportKind.Failed) with { IsLocal = true };
        }

        var late = !recipient.DelayReported && now - receivedAt >= options.WarnAfter;
        return Make(RecipientState.Due, next.Value, reply, late && !overflow ? ReportKind.Delayed : null, tried);

        Settled Make(RecipientState state, DateTimeOffset at, string text, ReportKind? kind, bool counts = true)
        {
            var wanted = kind is { } report && ReportPolicy.IsOwed(message.Record, recipient, report) ? kind : null;
            var reported = recipient.DelayReported || kind == ReportKind.Delayed;
            var kept = RecipientOutcome.Shorten(text);
            var outcome = new RecipientOutcome(message.Id, recipient.Number, state, at, kept, reported, counts) { Claim = message.Claim };
            return new Settled(outcome, wanted, verdict.IsLocal);
        }
    }

    private static string Expired(string last, TimeSpan age)
    {
        var days = age.TotalDays >= 1 ? age.TotalDays.ToString("0.#", CultureInfo.InvariantCulture) + " days"
            : age.TotalHours.ToString("0.##", CultureInfo.InvariantCulture) + " hours";
        return $"554 5.4.7 Given up after {days}; the last answer was: {last}";
    }
}
