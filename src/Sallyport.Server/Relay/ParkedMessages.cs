using Sallyport.Mail.Smtp;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Relay;

/// <summary>
/// Messages that went back to the store untried, since their destination had no room or every host of it was down. They are due again late, so
/// that a backlog rests, and are called back as soon as the destination works and has room. What is remembered here is only which they are: after
/// a crash they come by themselves, at the latest after <see cref="WaitMax"/>.
/// </summary>
internal sealed class ParkedMessages(TimeProvider time)
{
    /// <summary>Remembered in all; beyond it messages come again soon, and are looked at again and again.</summary>
    public const int MessagesMax = 100_000;

    /// <summary>Messages of one target that come again as soon as a host may be back: they find out whether it is.</summary>
    public const int ProbesMax = 20;

    public static readonly TimeSpan WaitMin = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(20);

    private readonly Lock _gate = new();
    private readonly Dictionary<RouteTarget, Lot> _lots = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <param name="backAt">When a host of the target may be asked again; null where there is only no room.</param>
    /// <returns>When it is due again; null when it should come as soon as there is reason to.</returns>
    public DateTimeOffset? Park(RouteTarget target, RelayJob job, DateTimeOffset? backAt)
    {
        if (job.Recipients.Length < job.Message.Record.Envelope.Recipients.Length)
        {
            return null; // calling it back would call back recipients of other destinations, which have a time of their own
        }

        lock (_gate)
        {
            if (!_lots.TryGetValue(target, out var lot))
            {
                _lots.Add(target, lot = new Lot());
            }

            var now = time.GetUtcNow();
            lot.ParkedAt = now;
            if (backAt is { } back && lot.IsProbe(back))
            {
                return null;
            }

            if (_count >= MessagesMax && !lot.Ids.Contains(job.Message.Id))
            {
                return null;
            }

            if (lot.Ids.Add(job.Message.Id))
            {
                lot.Order.Enqueue(job.Message.Id);
                _count++;
            }

            return now + WaitMin + ((WaitMax - WaitMin) * Random.Shared.NextDouble());
        }
    }

    /// <summary>Those to call back, the longest parked first.</summary>
    public IReadOnlyList<QueueId> Take(RouteTarget target, int most)
    {
        lock (_gate)
        {
            var taken = new List<QueueId>();
            if (_lots.TryGetValue(target, out var lot))
            {
                while (taken.Count < most && lot.Order.TryDequeue(out var id))
                {
                    lot.Ids.Remove(id);
                    taken.Add(id);
                }
            }

            _count -= taken.Count;
            return taken;
        }
    }

    /// <summary>All of the targets that are gone.</summary>
    public IReadOnlyList<QueueId> TakeAll(Func<RouteTarget, bool> which)
    {
        lock (_gate)
        {
            var taken = new List<QueueId>();
            foreach (var (target, lot) in _lots)
            {
                if (which(target))
                {
                    taken.AddRange(lot.Order);
                    _lots.Remove(target);
                }
            }

            _count -= taken.Count;
            return taken;
        }
    }

    /// <summary>Forgets those whose time has come: they are due by themselves.</summary>
    public void Sweep()
    {
        lock (_gate)
        {
            foreach (var (target, lot) in _lots)
            {
                if (time.GetUtcNow() - lot.ParkedAt > WaitMax)
                {
                    _lots.Remove(target);
                    _count -= lot.Order.Count;
                }
            }
        }
    }

    private sealed class Lot
    {
        private DateTimeOffset _backAt;
        private int _probes;

        public HashSet<QueueId> Ids { get; } = [];

        public Queue<QueueId> Order { get; } = new();

        public DateTimeOffset ParkedAt { get; set; }

        public bool IsProbe(DateTimeOffset backAt)
        {
            if (backAt > _backAt)
            {
                (_backAt, _probes) = (backAt, 0);
            }

            return _probes++ < ProbesMax;
        }
    }
}
