using System.Runtime.InteropServices;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;
using Sallyport.Server.Peers;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Relay;

/// <summary>
/// What is known of hosts, once for all destinations: which are down and until when, how many connections are open, how many they bear.
/// One that failed is left alone for a while that grows, so that a dead host costs a queue of thousands one attempt and not thousands.
/// What a host says about the way a route goes to it, its TLS and its login, is kept for that route alone.
/// </summary>
/// <remarks>A host nobody uses is forgotten after <see cref="UnusedMax"/>; of more than <see cref="HostsMax"/> the longest unused first.</remarks>
internal sealed class HostRegistry(Func<RelayOptions> options, TimeProvider time)
{
    public const int HostsMax = 10_000;

    public static readonly TimeSpan UnusedMax = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan DownMax = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<HostKey, Host> _hosts = [];
    private readonly Dictionary<(HostKey Host, NextHop Way), Mark> _ways = [];
    private int _connections;

    /// <summary>Hosts known, and ways to them that failed.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _hosts.Count + _ways.Count;
            }
        }
    }

    /// <summary>Until when a host is left alone on this way; a time that is past when it is not.</summary>
    public DateTimeOffset DownUntil(HostKey key, NextHop way)
    {
        lock (_gate)
        {
            var (host, mark) = (_hosts.GetValueOrDefault(key)?.Mark.Down.Until ?? default, _ways.GetValueOrDefault((key, way)).Down.Until);
            return host > mark ? host : mark;
        }
    }

    /// <summary>Its last failure since it last worked; null without one.</summary>
    public HostFailure? LastFailure(HostKey key, NextHop way)
    {
        lock (_gate)
        {
            return _ways.GetValueOrDefault((key, way)).Why ?? _hosts.GetValueOrDefault(key)?.Mark.Why;
        }
    }

    public void Failed(HostKey key, NextHop way, HostFailure why)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var host = Use(key);
            host.Concurrency.Failed();
            ref var mark = ref host.Mark;
            if (why.Failure.DependsOnRoute())
            {
                if (_ways.Count >= HostsMax)
                {
                    _ways.Clear(); // whoever is down is found out again
                }

                mark = ref CollectionsMarshal.GetValueRefOrAddDefault(_ways, (key, way), out _);
            }

            mark = new Mark(mark.Down.Failed(now, options().RetryFirst / 4, DownMax), why);
        }
    }

    public void Succeeded(HostKey key, NextHop way)
    {
        lock (_gate)
        {
            Use(key).Mark = default;
            _ways.Remove((key, way));
        }
    }

    /// <summary>It relayed a message: it may bear one connection more.</summary>
    public void Relayed(HostKey key, int connectionsMax)
    {
        lock (_gate)
        {
            Use(key).Concurrency.Succeeded(connectionsMax);
        }
    }

    /// <summary>It has enough of us for now.</summary>
    public void Busy(HostKey key)
    {
        lock (_gate)
        {
            Use(key).Concurrency.Failed();
        }
    }

    /// <summary>It refused one connection more while it keeps those that are open.</summary>
    /// <returns>False when none is open: then it is not full but down.</returns>
    public bool TryMarkFull(HostKey key)
    {
        lock (_gate)
        {
            var host = Use(key);
            if (host.Connections == 0)
            {
                return false;
            }

            host.Concurrency.LimitTo(host.Connections);
            return true;
        }
    }

    /// <summary>Every host is worth a try again: the operator says so.</summary>
    public void ForgetFailures()
    {
        lock (_gate)
        {
            _ways.Clear();
            foreach (var host in _hosts.Values)
            {
                host.Mark = default;
            }
        }
    }

    /// <summary>Connections it bears, as far as that is known.</summary>
    public int Limit(HostKey key, int connectionsMax)
    {
        lock (_gate)
        {
            return (_hosts.GetValueOrDefault(key)?.Concurrency ?? new ConcurrencyLimiter()).Limit(connectionsMax);
        }
    }

    /// <summary>Connections to it that are open and in order, of all destinations.</summary>
    public int Connections(HostKey key)
    {
        lock (_gate)
        {
            return _hosts.GetValueOrDefault(key)?.Connections ?? 0;
        }
    }

    /// <summary>Room for one connection more among all of this server. Give it back with <see cref="Release"/>.</summary>
    public bool TryReserve()
    {
        lock (_gate)
        {
            if (_connections >= options().ConnectionsMax)
            {
                return false;
            }

            _connections++;
            return true;
        }
    }

    /// <summary>A connection that was reserved did not come about.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _connections--;
        }
    }

    /// <summary>One that was reserved is open.</summary>
    public void Opened(HostKey key)
    {
        lock (_gate)
        {
            Use(key).Connections++;
        }
    }

    public void Closed(HostKey key)
    {
        lock (_gate)
        {
            _connections--;
            Use(key).Connections--;
        }
    }

    /// <summary>
    /// Takes one connection out of the count if the host should have fewer of ours: the caller's, who closes it. So of several who ask at the
    /// same time only as many leave as are too many.
    /// </summary>
    public bool TryLeave(HostKey key, int connectionsMax)
    {
        lock (_gate)
        {
            var host = Use(key);
            if (host.Connections <= host.Concurrency.Limit(connectionsMax))
            {
                return false;
            }

            host.Connections--;
            _connections--;
            return true;
        }
    }

    /// <summary>Forgets what nobody has used for a while.</summary>
    public void Sweep()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            foreach (var (key, host) in _hosts)
            {
                if (host.Connections == 0 && now - host.UsedAt >= UnusedMax)
                {
                    _hosts.Remove(key);
                }
            }

            foreach (var (way, mark) in _ways)
            {
                if (now - mark.Down.Until >= UnusedMax)
                {
                    _ways.Remove(way);
                }
            }
        }
    }

    /// <summary>Under the lock.</summary>
    private Host Use(HostKey key)
    {
        if (!_hosts.TryGetValue(key, out var host))
        {
            if (_hosts.Count >= HostsMax && _hosts.Where(pair => pair.Value.Connections == 0).ToList() is { Count: > 0 } unused)
            {
                foreach (var (old, _) in unused.OrderBy(pair => pair.Value.UsedAt).Take(HostsMax / 10))
                {
                    _hosts.Remove(old);
                }
            }

            _hosts.Add(key, host = new Host());
        }

        host.UsedAt = time.GetUtcNow();
        return host;
    }

    private readonly record struct Mark(BackOff Down, HostFailure? Why);

    private sealed class Host
    {
        public Mark Mark;

        public ConcurrencyLimiter Concurrency { get; } = new();

        public int Connections { get; set; }

        public DateTimeOffset UsedAt { get; set; }
    }
}
