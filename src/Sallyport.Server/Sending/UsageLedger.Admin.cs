using System.Collections.Immutable;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <content>For the operator: how much of which limit is used, by whom, and to begin anew.</content>
public sealed partial class UsageLedger
{
    private static readonly SendingWindow[] Windows = [SendingWindow.Minute, SendingWindow.Hour, SendingWindow.Day];

    /// <summary>Each limit that applies, then what else <paramref name="subject"/> has used.</summary>
    public IReadOnlyList<LimitUse> UsesOf(string subject, ImmutableArray<AppliedQuota> quotas)
    {
        lock (_gate)
        {
            var uses = new List<LimitUse>();
            foreach (var (whose, limit) in quotas.SelectMany(applied => applied.Quota.Limits.Select(limit => (applied.Subject, limit))))
            {
                var usage = FindPruned(whose);
                var used = usage.Used(limit.Measure, limit.Window);
                uses.Add(new(whose, limit.Measure, limit.Window, used, limit.Allowed, used < limit.Allowed ? null : usage.FreeAt(limit, 1)));
            }

            var own = FindPruned(subject);
            foreach (var measure in Enum.GetValues<SendingMeasure>())
            {
                uses.AddRange(Windows.Where(window => !uses.Exists(use => use.Subject == subject && use.Measure == measure && use.Window == window))
                    .Select(window => new LimitUse(subject, measure, window, own.Used(measure, window), null, null)).Where(use => use.Used > 0));
            }

            return uses;
        }
    }

    /// <summary>Whoever has sent or come within the last day, the busiest first.</summary>
    public IReadOnlyList<(string Subject, SendingActivity Activity)> Busiest(int most)
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            foreach (var usage in _subjects.Values)
            {
                usage.Prune(now);
            }

            return
            [
                .. _subjects.Values.Select(usage => (usage.Subject, Activity: usage.Activity(now)))
                    .Where(one => !one.Activity.Day.IsZero || !one.Activity.UnderWay.IsZero)
                    .OrderByDescending(one => one.Activity.Day.Messages).ThenByDescending(one => one.Activity.Day.Recipients)
                    .ThenBy(one => one.Subject, StringComparer.Ordinal).Take(most),
            ];
        }
    }

    /// <summary>Nothing is counted against it any more but what is under way. Whom a login has written to stays known.</summary>
    public void Reset(string subject)
    {
        lock (_gate)
        {
            var usage = FindPruned(subject);
            usage.Clear(one => one.WithoutSent);
            _changed.Add(usage);
        }
    }

    private SubjectUsage FindPruned(string subject)
    {
        var usage = Find(subject);
        usage.Prune(_time.GetUtcNow());
        return usage;
    }
}
