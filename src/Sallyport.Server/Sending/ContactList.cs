using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>
/// Whom one login has written to, by hash, in segments as they are stored: a segment is filled, then closed for good, so that what a
/// message adds is a small write. A contact used again after <see cref="RefreshAfter"/> goes into the segment open then; what has not
/// been used for <see cref="KeptFor"/> expires with its segment.
/// </summary>
internal sealed class ContactList(string login)
{
    /// <summary>Contacts in a segment: 2 KiB in the store.</summary>
    public const int SegmentContacts = 256;

    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(365);
    public static readonly TimeSpan RefreshAfter = TimeSpan.FromDays(30);

    /// <summary>At the limit so large a part, the oldest, goes at once.</summary>
    private const int PartDropped = 8;

    private readonly Dictionary<ulong, long> _segmentOf = [];
    private readonly SortedSet<long> _segments = [];
    private readonly Dictionary<long, List<ulong>> _unwritten = [];
    private readonly List<long> _dropped = [];
    private readonly List<ulong> _open = [];
    private long _openNumber;

    public int Count => _segmentOf.Count;

    /// <summary>False until the store has told what it knows.</summary>
    public bool IsLoaded { get; private set; }

    public bool HasChanges => _unwritten.Count > 0 || _dropped.Count > 0;

    /// <summary>When the store was last asked.</summary>
    public DateTimeOffset LoadedAt { get; private set; }

    /// <summary>What the store had then.</summary>
    public long Cursor { get; private set; }

    /// <summary>True when it has written there, and also while that is not known.</summary>
    public bool Knows(ulong contact, DateTimeOffset now) =>
        _segmentOf.TryGetValue(contact, out var segment) ? now - At(segment) < KeptFor : !IsLoaded;

    /// <param name="most">Contacts to keep; beyond it the oldest are dropped.</param>
    public void Learn(ulong contact, DateTimeOffset now, int most)
    {
        if (_segmentOf.TryGetValue(contact, out var segment) && now - At(segment) < RefreshAfter)
        {
            return;
        }

        if (_openNumber == 0 || _open.Count >= SegmentContacts || now - At(_openNumber) >= RefreshAfter)
        {
            _openNumber = Math.Max(now.ToUnixTimeMilliseconds(), _segments.Count == 0 ? 0 : _segments.Max + 1);
            _segments.Add(_openNumber);
            _open.Clear();
        }

        _open.Add(contact);
        _segmentOf[contact] = _openNumber;
        _unwritten[_openNumber] = _unwritten.GetValueOrDefault(_openNumber) ?? [];
        _unwritten[_openNumber].Add(contact);
        if (_segmentOf.Count > most)
        {
            DropOldest();
        }
    }

    /// <summary>What the store knows and did not have at the last call, added to what was learned meanwhile.</summary>
    public void Load(ContactSegments segments, DateTimeOffset now)
    {
        foreach (var (number, hashes) in segments.Segments)
        {
            _segments.Add(number);
            foreach (var contact in hashes)
            {
                _segmentOf[contact] = Math.Max(number, _segmentOf.GetValueOrDefault(contact));
            }
        }

        if (_openNumber == 0 && segments.Segments is [.., var newest])
        {
            _openNumber = newest.Segment;
            _open.AddRange(newest.Hashes);
        }

        (IsLoaded, LoadedAt, Cursor) = (true, now, segments.Cursor);
    }

    /// <summary>What has changed since the last call.</summary>
    public IEnumerable<ContactChange> TakeChanges()
    {
        List<ContactChange> changes =
        [
            .. _dropped.Select(number => new ContactChange(login, number, [], default)),
            .. _unwritten.Select(pair => new ContactChange(login, pair.Key, pair.Value, At(pair.Key) + KeptFor)),
        ];
        _unwritten.Clear();
        _dropped.Clear();
        return changes;
    }

    private void DropOldest()
    {
        var going = _segments.Where(segment => segment != _openNumber).Take(Math.Max(1, _segments.Count / PartDropped)).ToHashSet();
        foreach (var contact in _segmentOf.Where(entry => going.Contains(entry.Value)).Select(entry => entry.Key).ToList())
        {
            _segmentOf.Remove(contact);
        }

        foreach (var segment in going)
        {
            _segments.Remove(segment);
            _unwritten.Remove(segment);
            _dropped.Add(segment);
        }
    }

    /// <summary>Segments are named by when they were opened, in milliseconds.</summary>
    private static DateTimeOffset At(long segment) => DateTimeOffset.FromUnixTimeMilliseconds(segment);
}
