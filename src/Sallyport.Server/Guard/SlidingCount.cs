namespace Sallyport.Server.Guard;

/// <summary>How often something happened within the last window, exactly, up to a number that is remembered.</summary>
/// <param name="most">Times remembered; older ones are forgotten first. So much is also the most that is counted.</param>
internal sealed class SlidingCount(int most)
{
    private readonly Queue<DateTimeOffset> _times = new();

    /// <summary>The times, oldest first, for the store.</summary>
    public IReadOnlyCollection<DateTimeOffset> Times => _times;

    public bool IsEmpty => _times.Count == 0;

    public int Within(TimeSpan window, DateTimeOffset now)
    {
        while (_times.TryPeek(out var oldest) && oldest <= now - window)
        {
            _times.Dequeue();
        }

        if (_times.Any(time => time > now))
        {
            // The clock was ahead: what happened then leaves with the window and not when that time comes.
            Replace(_times.Select(time => time > now ? now : time).ToList());
        }

        return _times.Count;
    }

    public void Add(DateTimeOffset at)
    {
        if (_times.Count == most)
        {
            _times.Dequeue();
        }

        _times.Enqueue(at);
    }

    /// <summary>When the count is below <paramref name="limit"/> again, if nothing more happens.</summary>
    public DateTimeOffset FreeAt(int limit, TimeSpan window, DateTimeOffset now)
    {
        var over = Within(window, now) - limit;
        return over < 0 ? now : _times.ElementAt(over) + window;
    }

    public void Add(IEnumerable<DateTimeOffset> times)
    {
        Replace(_times.Concat(times).Order().TakeLast(most).ToList());
    }

    /// <summary>Forgets the last one. Returns when that was; null when there is none.</summary>
    public DateTimeOffset? Release()
    {
        var last = _times.Count == 0 ? (DateTimeOffset?)null : _times.Last();
        Replace(_times.SkipLast(1).ToList());
        return last;
    }

    /// <summary>Forgets these, each once; what is not remembered any more is passed over. Returns those it had.</summary>
    public IReadOnlyList<DateTimeOffset> Release(IEnumerable<DateTimeOffset> times)
    {
        var left = _times.ToList();
        var had = times.Where(time => left.Remove(time)).ToList();
        Replace(left);
        return had;
    }

    /// <summary>It happened so often at that very moment.</summary>
    public void Set(DateTimeOffset at, long times)
    {
        if (_times.Count(time => time == at) != times)
        {
            Replace(_times.Where(time => time != at).Concat(Enumerable.Repeat(at, (int)Math.Clamp(times, 0, most))).Order().TakeLast(most).ToList());
        }
    }

    private void Replace(List<DateTimeOffset> times)
    {
        _times.Clear();
        times.ForEach(_times.Enqueue);
    }

    public void Clear() => _times.Clear();
}
