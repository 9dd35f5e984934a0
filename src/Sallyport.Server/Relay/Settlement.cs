using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Reporting;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <param name="Report">The report the sender is owed, if any.</param>
public sealed record Settled(RecipientOutcome Outcome, ReportKind? Report);

/// <summary>What a verdict means for a recipient: its next state, its next attempt, and whether the sender hears of it. Pure.</summary>
public static class Settlement
{
    private const int ReplyLengthMax = 2048;
    private static readonly TimeSpan OverflowWait = TimeSpan.Zero;

    /// <param name="hopReports">True when the next hop does DSN, so that a wish for SUCCESS went with the message.</param>
    /// <param name="notTried">The host is known to be down, and was not asked again for this message.</param>
    public static Settled Settle(
        SpooledMessage message, SpooledRecipient recipient, RelayVerdict verdict, DateTimeOffset now, RelayOptions options,
        double jitter, bool hopReports = true, bool notTried = false)
    {
        var reply = verdict.Reply.ToString();
        switch (verdict.Kind)
        {
            case VerdictKind.Relayed:
                return Make(RecipientState.Relayed, now, reply, hopReports ? null : ReportKind.Relayed);
            case VerdictKind.Failed:
                return Make(RecipientState.Failed, now, reply, ReportKind.Failed);
            case VerdictKind.Overflow:
                return Make(RecipientState.Due, now + OverflowWait, reply, null, counts: false);
        }

        var attempts = recipient.Attempts + (notTried ? 0 : 1);
        var next = RetrySchedule.Next(Math.Max(1, attempts), message.Record.ReceivedAt, now, options, jitter);
        if (next is null)
        {
            return Make(RecipientState.Failed, now, Expired(verdict.Reply, now - message.Record.ReceivedAt), ReportKind.Failed);
        }

        var late = !recipient.DelayReported && now - message.Record.ReceivedAt >= options.WarnAfter;
        return Make(RecipientState.Due, next.Value, reply, late ? ReportKind.Delayed : null, !notTried);

        Settled Make(RecipientState state, DateTimeOffset at, string text, ReportKind? kind, bool counts = true)
        {
            var wanted = kind is { } report && ReportPolicy.IsOwed(message.Record, recipient, report) ? kind : null;
            var reported = recipient.DelayReported || kind == ReportKind.Delayed;
            return new Settled(new RecipientOutcome(message.Id, recipient.Number, state, at, Shorten(text), reported, counts), wanted);
        }
    }

    /// <summary>A next hop may say 800 KB; a bounce about a hundred recipients is not to have 80 MB.</summary>
    public static string Shorten(string reply) =>
        reply.Length <= ReplyLengthMax ? reply : reply[..(ReplyLengthMax - (char.IsHighSurrogate(reply[ReplyLengthMax - 4]) ? 4 : 3))] + "...";

    private static string Expired(Reply last, TimeSpan age) => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"554 5.4.7 Given up after {(age.TotalDays >= 1 ? $"{age.TotalDays:0.#} days" : $"{age.TotalHours:0.##} hours")}; "
        + $"the last answer was: {last}");
}
