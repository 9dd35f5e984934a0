using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.State;

/// <summary>
/// Entries and counts on their way to the store: many changes of one become one write, all of an interval one commit. What a crash takes
/// is at most the last interval; an orderly stop takes nothing. Its lock is the innermost: it calls nobody while it holds it.
/// </summary>
public sealed class WriteBehindBuffer
{
    /// <summary>Entries and counts that may wait while the store takes nothing; what comes beyond is dropped and reported.</summary>
    public const int WaitingMax = 200_000;

    private readonly ISiteStore _store;
    private readonly RegistryFollower _follower;
    private readonly IMailLog _log;
    private readonly int _waitingMax;
    private readonly Lock _gate = new();
    private TaskCompletionSource _urgent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<(RegistryKind Kind, string Key), RegistryWrite> _entries = [];
    private readonly Dictionary<CounterName, CounterDelta> _counts = [];
    private readonly Dictionary<(string Login, long Segment), ContactChange> _contacts = [];
    private long _dropped;
    private bool _failing;
    private bool _dropping;

    public WriteBehindBuffer(ISiteStore store, RegistryFollower follower, IMailLog log, int waitingMax = WaitingMax) =>
        (_store, _follower, _log, _waitingMax) = (store, follower, log, waitingMax);

    /// <summary>Called before each write, under no lock: whoever counts often puts then what has changed since.</summary>
    public Action? Collecting { get; set; }

    /// <param name="isUrgent">It is written at once, by the site's own queue and outside whatever lock the caller holds.</param>
    public void Put(RegistryKind kind, string key, ReadOnlyMemory<byte> value, DateTimeOffset? expiresAt, bool isUrgent = false) =>
        Put(new RegistryWrite(kind, key, value, expiresAt), isUrgent);

    public void Remove(RegistryKind kind, string key, bool isUrgent = false) => Put(new RegistryWrite(kind, key, null, null), isUrgent);

    public void Add(CounterDelta delta)
    {
        var name = new CounterName(delta.Kind, delta.Key, delta.Bucket, delta.Measure);
        lock (_gate)
        {
            if (_counts.TryGetValue(name, out var before))
            {
                var sum = before.Delta + delta.Delta;
                if (sum == 0)
                {
                    _counts.Remove(name); // taken back before anybody else could have seen it
                }
                else
                {
                    var expires = before.ExpiresAt > delta.ExpiresAt ? before.ExpiresAt : delta.ExpiresAt;
                    _counts[name] = before with { Delta = sum, ExpiresAt = expires };
                }
            }
            else if (HasRoom())
            {
                _counts.Add(name, delta);
            }
        }
    }

    public void Add(ContactChange change)
    {
        var name = (change.Login, change.Segment);
        lock (_gate)
        {
            if (_contacts.TryGetValue(name, out var before) && change.Hashes.Count > 0)
            {
                _contacts[name] = change with { Hashes = [.. before.Hashes, .. change.Hashes] };
            }
            else if (before is not null || HasRoom())
            {
                _contacts[name] = change;
            }
        }
    }

    /// <summary>What this node has added to a count and the store does not have yet.</summary>
    public long PendingOf(Counter counter)
    {
        lock (_gate)
        {
            return _counts.TryGetValue(new CounterName(counter.Kind, counter.Key, counter.Bucket, counter.Measure), out var delta) ? delta.Delta : 0;
        }
    }

    /// <summary>What waits is written at once, by the site's own queue and outside whatever lock the caller holds.</summary>
    public void Hurry()
    {
        lock (_gate)
        {
            _urgent.TrySetResult();
        }
    }

    /// <summary>Completes when something must not wait for the interval.</summary>
    internal Task WaitForUrgentAsync()
    {
        lock (_gate)
        {
            return _urgent.Task;
        }
    }

    internal bool IsPending(RegistryKind kind, string key)
    {
        lock (_gate)
        {
            return _entries.ContainsKey((kind, key));
        }
    }

    /// <summary>
    /// Writes what waits. Returns when it is on stable storage, or could not be written: then it waits on. One call at a time.
    /// </summary>
    internal async Task FlushAsync()
    {
        Collecting?.Invoke();
        List<RegistryWrite> entries;
        List<CounterDelta> counts;
        List<ContactChange> contacts;
        lock (_gate)
        {
            (entries, counts, contacts) = ([.. _entries.Values], [.. _counts.Values], [.. _contacts.Values]);
            _entries.Clear();
            _counts.Clear();
            _contacts.Clear();
            if (_urgent.Task.IsCompleted)
            {
                _urgent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        // Together, so that the store's writer takes them into one commit.
        var failures = await Task.WhenAll(
            TryAsync(entries, _follower.WriteHeldAsync, PutBack),
            TryAsync(counts, some => _store.Counters.AddAsync(some, default), Add),
            TryAsync(contacts, some => _store.Contacts.WriteAsync(some, default), AddBack));
        Report(failures.OfType<StoreException>().FirstOrDefault());
    }

    private void Put(RegistryWrite write, bool isUrgent)
    {
        lock (_gate)
        {
            if (_entries.ContainsKey((write.Kind, write.Key)) || HasRoom())
            {
                _entries[(write.Kind, write.Key)] = write;
            }
        }

        if (isUrgent)
        {
            Hurry();
        }
    }

    private bool HasRoom()
    {
        if (_entries.Count + _counts.Count + _contacts.Count < _waitingMax)
        {
            return true;
        }

        _dropped++;
        return false;
    }

    /// <returns>Why it could not be written; then it waits again.</returns>
    private static async Task<StoreException?> TryAsync<T>(List<T> items, Func<List<T>, ValueTask> write, Action<T> putBack)
    {
        if (items.Count == 0)
        {
            return null;
        }

        try
        {
            await write(items);
            return null;
        }
        catch (StoreException exception)
        {
            items.ForEach(putBack);
            return exception;
        }
    }

    /// <summary>What was put meanwhile is newer.</summary>
    private void PutBack(RegistryWrite write)
    {
        lock (_gate)
        {
            if (HasRoom())
            {
                _entries.TryAdd((write.Kind, write.Key), write);
            }
        }
    }

    private void AddBack(ContactChange change)
    {
        lock (_gate)
        {
            if (!_contacts.TryGetValue((change.Login, change.Segment), out var newer))
            {
                Add(change);
            }
            else if (newer.Hashes.Count > 0)
            {
                _contacts[(change.Login, change.Segment)] = newer with { Hashes = [.. change.Hashes, .. newer.Hashes] };
            }
        }
    }

    /// <summary>Each trouble is told of once while it lasts; what was dropped, with its number when it is over.</summary>
    private void Report(StoreException? failure)
    {
        long dropped;
        lock (_gate)
        {
            dropped = _dropped;
            _dropped = failure is null ? 0 : _dropped;
        }

        if (failure is not null && !_failing)
        {
            _log.Write(new MailEvent.Problem($"counters and bans cannot be stored now and wait in memory: {failure.Message}"));
        }

        _failing = failure is not null;
        if (dropped > 0 && !_dropping)
        {
            _log.Write(new MailEvent.Problem(
                $"more than {_waitingMax} counters and bans wait to be stored: what comes beyond is dropped, {dropped} so far"));
        }
        else if (_dropping && failure is null)
        {
            _log.Write(new MailEvent.Problem($"counters and bans are stored again; {dropped} were dropped in all"));
        }

        _dropping = dropped > 0 && failure is not null;
    }

    private readonly record struct CounterName(CounterKind Kind, string Key, long Bucket, int Measure);
}
