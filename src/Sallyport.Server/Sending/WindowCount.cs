using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>
/// What happened within a sliding window, in buckets. A bucket counts until all of it has left the window, so no window ever holds more
/// than is counted: what is over the true count is less than one bucket of time.
/// </summary>
internal sealed class WindowCount(TimeSpan length, TimeSpan bucket)
{
    private readonly List<(long Index, UsageAmount Amount)> _buckets = [];
    private readonly long _span = length.Ticks / bucket.Ticks;

    public static WindowCount NewMinute() => new(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1));

    public static WindowCount NewHour() => new(TimeSpan.FromHours(1), TimeSpan.FromMinutes(1));

    public static WindowCount NewDay() => new(TimeSpan.FromDays(1), TimeSpan.FromMinutes(15));

    /// <summary>Valid after <see cref="Prune"/>.</summary>
    public UsageAmount Total { get; private set; }

    /// <summary>Lets go of what has left the window.</summary>
    public void Prune(DateTimeOffset now)
    {
        var oldest = Index(now) - _span;
        var gone = 0;
        while (gone < _buckets.Count && _buckets[gone].Index < oldest)
        {
            Total -= _buckets[gone++].Amount;
        }

        _buckets.RemoveRange(0, gone);
        BringBack(Index(now));
    }

    public void Add(UsageAmount amount, DateTimeOffset now)
    {
        var index = Index(now);
        if (_buckets.Count > 0 && _buckets[^1].Index >= index)
        {
            _buckets[^1] = (_buckets[^1].Index, _buckets[^1].Amount + amount); // also when the clock was set back
        }
        else
        {
            _buckets.Add((index, amount));
        }

        Total += amount;
    }

    /// <summary>When so much has left the window; null when not even all that is in it is so much.</summary>
    public DateTimeOffset? FreeAt(SendingMeasure measure, long amount)
    {
        foreach (var (index, counted) in _buckets)
        {
            amount -= counted.Sent[measure];
            if (amount <= 0)
            {
                return new DateTimeOffset((index + _span + 1) * bucket.Ticks, TimeSpan.Zero);
            }
        }

        return null;
    }

    /// <summary>Keeps of each bucket what <paramref name="left"/> leaves of it.</summary>
    public void Clear(Func<UsageAmount, UsageAmount> left)
    {
        var kept = _buckets.Select(one => (one.Index, Amount: left(one.Amount))).Where(one => one.Amount != default).ToList();
        _buckets.Clear();
        _buckets.AddRange(kept);
        Total = kept.Aggregate(default(UsageAmount), (sum, one) => sum + one.Amount);
    }

    /// <summary>For the store: rows of index, messages, recipients, first-time recipients, bytes, connections.</summary>
    public long[][] ToRows() => [.. _buckets.Select(b => ToRow(b.Index, b.Amount))];

    private static long[] ToRow(long index, UsageAmount amount)
    {
        var (sent, passed) = (amount.Sent, amount.Passed);
        long[] row = [index, sent.Messages, sent.Recipients, sent.FirstTimeRecipients, sent.Bytes, sent.Connections];
        return amount == amount.WithoutBreaker
            ? row
            : [.. row, passed.Messages, passed.Recipients, passed.FirstTimeRecipients, passed.Bytes, amount.Settled, amount.Failed];
    }

    /// <summary>Rows of the future, from when the clock was wrong, are left out.</summary>
    public void Restore(long[][] rows, DateTimeOffset now)
    {
        foreach (var row in rows.Where(row => row.Length >= 6 && row[0] <= Index(now)).OrderBy(row => row[0]))
        {
            var amount = new UsageAmount(new SendingAmount(row[1], row[2], row[3], row[4], row[5]));
            if (row.Length >= 12)
            {
                amount = amount with { Passed = new SendingAmount(row[6], row[7], row[8], row[9], 0), Settled = row[10], Failed = row[11] };
            }

            _buckets.Add((row[0], amount));
            Total += amount;
        }

        Prune(now);
    }

    /// <summary>Adds rows to the buckets of the same index.</summary>
    public void Merge(long[][] rows, Func<long[], UsageAmount> amountOf, DateTimeOffset now)
    {
        foreach (var row in rows.Where(row => row.Length >= 6 && row[0] <= Index(now)))
        {
            var (amount, at) = (amountOf(row), _buckets.FindIndex(one => one.Index >= row[0]));
            if (at >= 0 && _buckets[at].Index == row[0])
            {
                _buckets[at] = (row[0], _buckets[at].Amount + amount);
            }
            else
            {
                _buckets.Insert(at < 0 ? _buckets.Count : at, (row[0], amount));
            }

            Total += amount;
        }

        Prune(now);
    }

    /// <summary>What was counted while the clock was ahead counts as now: it leaves with the window and not when that time comes.</summary>
    private void BringBack(long index)
    {
        var early = _buckets.FindIndex(one => one.Index > index);
        if (early >= 0)
        {
            var amount = _buckets.Skip(early).Aggregate(default(UsageAmount), (sum, one) => sum + one.Amount);
            _buckets.RemoveRange(early, _buckets.Count - early);
            _buckets.Add((index, amount));
        }
    }

    private long Index(DateTimeOffset at) => at.UtcTicks / bucket.Ticks;
}
