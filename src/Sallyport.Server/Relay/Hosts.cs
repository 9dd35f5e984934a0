using System.Collections.Immutable;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Relay;

/// <summary>Why a host was left, as a value and in words.</summary>
public sealed record HostFailure(RelayFailure Failure, Reply Reply)
{
    /// <summary>What it means for a recipient: another host may do better.</summary>
    public RelayVerdict ToVerdict(int recipient) =>
        new(recipient, VerdictKind.Deferred, Reply, WholeHost: true) { IsLocal = true, Failure = Failure };
}

/// <summary>
/// Which of a route's smarthosts to ask: the first by preference that is not known to be down. One that failed is left alone for a
/// while that grows, so that a dead host costs a queue of thousands one attempt and not thousands.
/// </summary>
public sealed class Hosts(ImmutableArray<SmarthostAddress> addresses, RelayOptions options, TimeProvider time)
{
    private static readonly TimeSpan DownMax = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly DateTimeOffset[] _downUntil = new DateTimeOffset[addresses.Length];
    private readonly int[] _failures = new int[addresses.Length];
    private readonly int[] _connections = new int[addresses.Length];
    private readonly HostFailure?[] _lastFailure = new HostFailure?[addresses.Length];

    public ImmutableArray<SmarthostAddress> Addresses => addresses;

    /// <summary>Hosts worth a try now, in order of preference.</summary>
    public ImmutableArray<SmarthostAddress> Up()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            return [.. addresses.Where((_, i) => _downUntil[i] <= now)];
        }
    }

    /// <summary>When the first of those that are down may be asked again; now when none is.</summary>
    public DateTimeOffset BackAt()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            return _downUntil.Where(until => until > now).DefaultIfEmpty(now).Min();
        }
    }

    /// <summary>Why nothing can be tried: the last failure of the most preferred host.</summary>
    public HostFailure WhyDown()
    {
        lock (_gate)
        {
            return _lastFailure.FirstOrDefault(failure => failure is not null)
                ?? new(RelayFailure.Unreachable, new Reply(451, new(4, 4, 1), "No smarthost can be reached"));
        }
    }

    public void Failed(SmarthostAddress host, HostFailure why)
    {
        lock (_gate)
        {
            var i = addresses.IndexOf(host);
            var now = time.GetUtcNow();
            _lastFailure[i] = why;
            if (_downUntil[i] > now)
            {
                return; // several connections found out at the same time: that is one failure
            }

            var wait = options.RetryFirst.TotalSeconds / 4 * Math.Pow(2, Math.Min(_failures[i]++, 10));
            _downUntil[i] = now + TimeSpan.FromSeconds(Math.Min(wait, DownMax.TotalSeconds));
        }
    }

    public void Succeeded(SmarthostAddress host)
    {
        lock (_gate)
        {
            Forget(addresses.IndexOf(host));
        }
    }

    /// <summary>Every host is worth a try again: the operator says so.</summary>
    public void ForgetFailures()
    {
        lock (_gate)
        {
            for (var i = 0; i < addresses.Length; i++)
            {
                Forget(i);
            }
        }
    }

    /// <summary>Connections to it that are open and in order.</summary>
    public int Connections(SmarthostAddress host)
    {
        lock (_gate)
        {
            return _connections[addresses.IndexOf(host)];
        }
    }

    /// <summary>To all of them.</summary>
    public int ConnectionsInAll
    {
        get
        {
            lock (_gate)
            {
                return _connections.Sum();
            }
        }
    }

    public void Opened(SmarthostAddress host) => Count(host, 1);

    public void Closed(SmarthostAddress host) => Count(host, -1);

    private void Count(SmarthostAddress host, int change)
    {
        lock (_gate)
        {
            _connections[addresses.IndexOf(host)] += change;
        }
    }

    private void Forget(int i)
    {
        _failures[i] = 0;
        _downUntil[i] = default;
        _lastFailure[i] = null;
    }
}
