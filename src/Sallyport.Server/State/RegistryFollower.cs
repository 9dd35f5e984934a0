using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.State;

/// <summary>
/// Keeps what this node holds of a site's shared state as the store has it: writes for its holders, who see their own write at once, and
/// reads every second what other nodes have written or counted.
/// </summary>
public sealed class RegistryFollower
{
    private const int ReadAtOnce = 1000;

    private readonly ISiteStore _store;
    private readonly IMailLog _log;
    private readonly Lock _gate = new();
    private readonly List<IRegistryHolder> _holders = [];
    private readonly List<ICounterHolder> _counterHolders = [];
    private readonly HashSet<long> _own = [];
    private long _cursor;
    private long _counterCursor;

    private RegistryFollower(ISiteStore store, IMailLog log) => (_store, _log) = (store, log);

    /// <summary>From this moment on; what there is each holder reads when it joins.</summary>
    public static async ValueTask<RegistryFollower> OpenAsync(ISiteStore store, IMailLog log, CancellationToken cancel) => new(store, log)
    {
        _cursor = await store.Registry.CursorAsync(cancel),
        _counterCursor = await store.Counters.CursorAsync(cancel),
    };

    /// <summary>Hands over all there is, then all that comes.</summary>
    public async ValueTask JoinAsync(IRegistryHolder holder, CancellationToken cancel)
    {
        foreach (var entry in await _store.Registry.ListAsync(holder.Kind, "", cancel))
        {
            Apply(holder, entry);
        }

        lock (_gate)
        {
            _holders.Add(holder);
        }
    }

    /// <summary>Hands over all there is, then all that comes.</summary>
    public async ValueTask JoinAsync(ICounterHolder holder, CancellationToken cancel)
    {
        foreach (var counter in await _store.Counters.ListAsync(holder.Kind, "", cancel))
        {
            holder.Apply(counter);
        }

        lock (_gate)
        {
            _counterHolders.Add(holder);
        }
    }

    public ValueTask<RegistryEntry?> FindAsync(RegistryKind kind, string key, CancellationToken cancel) =>
        _store.Registry.FindAsync(kind, key, cancel);

    /// <summary>Writes on stable storage; the holders have it when this returns. False when another node was faster: then they have that.</summary>
    /// <exception cref="StoreException">Nothing was changed, or a restart tells.</exception>
    public async ValueTask<bool> WriteAsync(IReadOnlyList<RegistryWrite> writes, CancellationToken cancel)
    {
        switch (await _store.Registry.WriteAsync(writes, cancel))
        {
            case RegistryResult.Written { Version: var last }:
                for (var i = 0; i < writes.Count; i++)
                {
                    var write = writes[i];
                    ApplyToAll(new RegistryEntry(write.Kind, write.Key, write.Value, write.ExpiresAt, last - writes.Count + 1 + i));
                }

                return true;
            case RegistryResult.Conflict conflict:
                ApplyToAll(conflict.Found ?? new RegistryEntry(conflict.Write.Kind, conflict.Write.Key, null, null, 0));
                return false;
            default:
                return false;
        }
    }

    /// <summary>Writes what its holder has in memory already.</summary>
    internal async ValueTask WriteHeldAsync(IReadOnlyList<RegistryWrite> writes)
    {
        if (await _store.Registry.WriteAsync(writes, default) is RegistryResult.Written { Version: var last })
        {
            lock (_gate)
            {
                for (var i = 0; i < writes.Count; i++)
                {
                    _own.Add(last - i);
                }
            }
        }
    }

    /// <summary>Takes in what other nodes have written since the last call. One call at a time.</summary>
    /// <param name="isPending">What this node is about to write wins over what it reads.</param>
    internal async ValueTask PollAsync(Func<RegistryKind, string, bool> isPending)
    {
        for (var more = true; more;)
        {
            var changes = await _store.Registry.ChangesSinceAsync(_cursor, ReadAtOnce, default);
            if (!changes.IsComplete)
            {
                await ReadAllAgainAsync();
                break;
            }

            foreach (var entry in changes.Entries.Where(entry => !IsOwn(entry.Version) && !isPending(entry.Kind, entry.Key)))
            {
                ApplyToAll(entry);
            }

            (_cursor, more) = (changes.Cursor, changes.Entries.Count == ReadAtOnce);
        }

        for (var more = true; more;)
        {
            var changes = await _store.Counters.ChangesSinceAsync(_counterCursor, ReadAtOnce, default);
            foreach (var counter in changes.Counters)
            {
                foreach (var holder in CounterHolders(counter.Kind))
                {
                    holder.Apply(counter);
                }
            }

            (_counterCursor, more) = (changes.Cursor, changes.Counters.Count == ReadAtOnce);
        }
    }

    /// <summary>Too long away: what was removed meanwhile is no longer known one by one.</summary>
    private async ValueTask ReadAllAgainAsync()
    {
        _cursor = await _store.Registry.CursorAsync(default);
        List<IRegistryHolder> holders;
        lock (_gate)
        {
            holders = [.. _holders];
        }

        foreach (var holder in holders)
        {
            var entries = await _store.Registry.ListAsync(holder.Kind, "", default);
            foreach (var gone in holder.Keys.Except(entries.Select(entry => entry.Key), StringComparer.Ordinal).ToList())
            {
                Apply(holder, new RegistryEntry(holder.Kind, gone, null, null, 0));
            }

            foreach (var entry in entries)
            {
                Apply(holder, entry);
            }
        }
    }

    private bool IsOwn(long version)
    {
        lock (_gate)
        {
            return _own.Remove(version);
        }
    }

    private List<ICounterHolder> CounterHolders(CounterKind kind)
    {
        lock (_gate)
        {
            return _counterHolders.FindAll(holder => holder.Kind == kind);
        }
    }

    private void ApplyToAll(RegistryEntry entry)
    {
        List<IRegistryHolder> holders;
        lock (_gate)
        {
            holders = _holders.FindAll(holder => holder.Kind == entry.Kind);
        }

        holders.ForEach(holder => Apply(holder, entry));
    }

    /// <summary>Whatever a damaged value makes go wrong goes wrong here: it stops neither the others nor the server.</summary>
    private void Apply(IRegistryHolder holder, RegistryEntry entry)
    {
        try
        {
            holder.Apply(entry);
        }
        catch (Exception exception)
        {
            _log.Write(new MailEvent.Problem(
                $"the stored {entry.Kind} \"{entry.Key.Replace('\n', ' ')}\" is damaged and passed over: {exception.Message}"));
            holder.PassOver(entry);
        }
    }

}
