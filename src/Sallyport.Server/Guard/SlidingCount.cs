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
            var times = _times.Select(time => time > now ? now : time).ToList();
            _times.Clear();
            times.ForEach(_times.Enqueue);
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
        var all = _times.Concat(times).Order().TakeLast(most).ToList();
        _times.Clear();
        all.ForEach(_times.Enqueue);
    }

    /// <summary>Forgets the last one.</summary>
    public void Release()
    {
        var keep = Math.Max(0, _times.Count - 1);
        var times = _times.Take(keep).ToList();
        _times.Clear();
        times.ForEach(_times.Enqueue);
    }

    /// <summary>Forgets these, each once; what is not remembered any more is passed over.</summary>
    public void Release(IEnumerable<DateTimeOffset> times)
    {
        var left = _times.ToList();
        foreach (var time in times)
        {
            left.Remove(time);
        }

        _times.Clear();
        left.ForEach(_times.Enqueue);
    }

    public void Clear() => _times.Clear();
}
