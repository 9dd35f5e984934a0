using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>
/// What happened within a sliding window, in buckets. A bucket counts until all of it has left the window, so no window ever holds more
/// than is counted: what is over the true count is less than one bucket of time. A bucket is the sum of what all nodes have counted.
/// </summary>
internal sealed class WindowCount(TimeSpan length, TimeSpan bucket)
{
    /// <summary>Clocks of two nodes may differ by so much.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(1);

    private readonly List<(long Index, UsageAmount Amount)> _buckets = [];
    private readonly Dictionary<long, UsageAmount> _unwritten = [];
    private readonly long _span = length.Ticks / bucket.Ticks;

    public static WindowCount NewMinute() => new(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1));

    public static WindowCount NewHour() => new(TimeSpan.FromHours(1), TimeSpan.FromMinutes(1));

    public static WindowCount NewDay() => new(TimeSpan.FromDays(1), TimeSpan.FromMinutes(15));

    /// <summary>Valid after <see cref="Prune"/>.</summary>
    public UsageAmount Total { get; private set; }

    /// <summary>Drops what has left the window.</summary>
    public void Prune(DateTimeOffset now)
    {
        var oldest = Index(now) - _span;
        var gone = 0;
        while (gone < _buckets.Count && _buckets[gone].Index < oldest)
        {
            Total -= _buckets[gone++].Amount;
        }

        _buckets.RemoveRange(0, gone);
        BringBack(now);
    }

    public void Add(UsageAmount amount, DateTimeOffset now) => Add(amount, Index(now));

    /// <summary>When so much has left the window; null when not even all that is in it is so much.</summary>
    public DateTimeOffset? FreeAt(SendingMeasure measure, long amount)
    {
        foreach (var (index, counted) in _buckets)
        {
            amount -= counted.Sent[measure];
            if (amount <= 0)
            {
                return EndOf(index);
            }
        }

        return null;
    }

    /// <summary>Keeps of each bucket what <paramref name="left"/> leaves of it. What other nodes count meanwhile stays.</summary>
    public void Clear(Func<UsageAmount, UsageAmount> left)
    {
        foreach (var (index, amount) in _buckets.ToList())
        {
            Add(left(amount) - amount, index);
        }
    }

    /// <summary>What was added here since the last call, by bucket; and when each has left the window.</summary>
    public List<(long Index, UsageAmount Amount, DateTimeOffset EndsAt)> TakeUnwritten()
    {
        List<(long Index, UsageAmount Amount, DateTimeOffset EndsAt)> taken = [.. _unwritten.Select(one => (one.Key, one.Value, EndOf(one.Key)))];
        _unwritten.Clear();
        return taken;
    }

    /// <summary>What all nodes have counted in a bucket, as the store has it with what is on its way there.</summary>
    public void Set(long index, int measure, long value)
    {
        value += _unwritten.GetValueOrDefault(index)[measure];
        var at = Find(index);
        var before = _buckets[at].Amount;
        _buckets[at] = (index, before.With(measure, value));
        Total += _buckets[at].Amount - before;
    }

    private void Add(UsageAmount amount, long index)
    {
        var at = Find(index);
        _buckets[at] = (index, _buckets[at].Amount + amount);
        _unwritten[index] = _unwritten.GetValueOrDefault(index) + amount;
        Total += amount;
    }

    /// <summary>The place of a bucket, made where there is none; most are the last.</summary>
    private int Find(long index)
    {
        var at = _buckets.Count;
        while (at > 0 && _buckets[at - 1].Index > index)
        {
            at--;
        }

        if (at > 0 && _buckets[at - 1].Index == index)
        {
            return at - 1;
        }

        _buckets.Insert(at, (index, default));
        return at;
    }

    /// <summary>What was counted while the clock was ahead counts as now: it leaves with the window and not when that time comes.</summary>
    private void BringBack(DateTimeOffset now)
    {
        var last = Index(now + SkewMax);
        foreach (var (index, amount) in _buckets.Where(one => one.Index > last).ToList())
        {
            Add(default(UsageAmount) - amount, index);
            Add(amount, Index(now));
        }

        _buckets.RemoveAll(one => one.Index > last);
    }

    private DateTimeOffset EndOf(long index) => new((index + _span + 1) * bucket.Ticks, TimeSpan.Zero);

    private long Index(DateTimeOffset at) => at.UtcTicks / bucket.Ticks;
}
