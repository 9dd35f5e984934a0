using System.Collections.Immutable;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>For the operator: how much of which limit is used, and by whom. Callers hold the ledger's lock.</summary>
internal static class UsageReport
{
    private static readonly SendingWindow[] Windows = [SendingWindow.Minute, SendingWindow.Hour, SendingWindow.Day];

    /// <summary>Each limit that applies, then what else <paramref name="subject"/> has used.</summary>
    public static List<LimitUse> UsesOf(UsageTable table, string subject, ImmutableArray<AppliedQuota> quotas, DateTimeOffset now)
    {
        var uses = new List<LimitUse>();
        foreach (var (whose, limit) in quotas.SelectMany(applied => applied.Quota.Limits.Select(limit => (applied.Subject, limit))))
        {
            var usage = table.FindPruned(whose, now);
            var used = usage.Used(limit.Measure, limit.Window);
            uses.Add(new(whose, limit.Measure, limit.Window, used, limit.Allowed, used < limit.Allowed ? null : usage.FreeAt(limit, 1)));
        }

        var own = table.FindPruned(subject, now);
        foreach (var measure in Enum.GetValues<SendingMeasure>())
        {
            uses.AddRange(Windows.Where(window => !uses.Exists(use => use.Subject == subject && use.Measure == measure && use.Window == window))
                .Select(window => new LimitUse(subject, measure, window, own.Used(measure, window), null, null)).Where(use => use.Used > 0));
        }

        return uses;
    }

    /// <summary>Whoever has sent or come within the last day, the busiest first.</summary>
    public static List<(string Subject, SendingActivity Activity)> Busiest(UsageTable table, int most, DateTimeOffset now)
    {
        foreach (var usage in table.All)
        {
            usage.Prune(now);
        }

        return
        [
            .. table.All.Select(usage => (usage.Subject, Activity: usage.Activity(now)))
                .Where(one => !one.Activity.Day.IsZero || !one.Activity.UnderWay.IsZero)
                .OrderByDescending(one => one.Activity.Day.Messages).ThenByDescending(one => one.Activity.Day.Recipients)
                .ThenBy(one => one.Subject, StringComparer.Ordinal).Take(most),
        ];
    }
}
