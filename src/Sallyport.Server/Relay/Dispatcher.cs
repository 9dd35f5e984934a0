using System.Collections.Immutable;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Routing;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>
/// Which destination takes which recipients. Messages are sorted under no lock; routes change and jobs are handed over under one, so that
/// none goes to a destination whose route is gone.
/// </summary>
internal sealed class Dispatcher(RelayContext context, RouteTable routes) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RouteTarget, Destination> _destinations = [];
    private readonly HashSet<Task> _underWay = [];
    private readonly LogThrottle _throttle = new(context.Services.Log, context.Services.Time);

    private volatile Current _current = new(routes);

    private sealed record RejectedJob(RelayJob Job, RouteTarget Target, Destination? Destination, Admission Why);

    /// <summary>Routes in force: a job sorted by others is sorted again.</summary>
    private sealed record Current(RouteTable Routes)
    {
        public ImmutableHashSet<NextHop> Hops { get; } = [.. Routes.NextHops];
    }

    public RouteTable Routes => _current.Routes;

    /// <summary>Destinations there are now: those that have something to do, or an open connection.</summary>
    public int Destinations
    {
        get
        {
            lock (_gate)
            {
                return _destinations.Count;
            }
        }
    }

    /// <summary>
    /// Jobs one destination may have waiting: so few that all destinations full leave room for one more share of messages on their way.
    /// One route alone may use all of it, there is nobody to starve.
    /// </summary>
    private int WaitingMax
    {
        get
        {
            var hops = _current.Hops.Count;
            return hops <= 1 ? int.MaxValue : Math.Max(1, context.Options.Relay.MessagesInMemory / (hops + 1));
        }
    }

    public void Reload(RouteTable routes)
    {
        lock (_gate)
        {
            _current = new Current(routes);
            foreach (var (target, destination) in _destinations)
            {
                destination.ExpirePlan();
                if (!_current.Hops.Contains(target.Hop))
                {
                    _destinations.Remove(target);
                    Watch(Task.Run(async () => await destination.DisposeAsync()));
                }
            }

            var hops = _current.Hops;
            Watch(Task.Run(() => context.CallBackAsync(context.Parked.TakeAll(target => !hops.Contains(target.Hop)))));
        }
    }

    /// <summary>Forgets what nobody uses any more.</summary>
    public void Sweep()
    {
        context.Hosts.Sweep();
        context.Parked.Sweep();
    }

    public void ForgetFailures()
    {
        context.Hosts.ForgetFailures();
        lock (_gate)
        {
            foreach (var destination in _destinations.Values)
            {
                destination.ExpirePlan();
            }
        }
    }

    /// <summary>Hands each message to the destinations of its recipients. What no destination takes goes back to the spool.</summary>
    public void Dispatch(IReadOnlyList<SpooledMessage> messages)
    {
        var current = _current;
        var sorted = messages.SelectMany(message => Sort(message, current)).ToList();
        var rejected = new List<RejectedJob>();
        lock (_gate)
        {
            var most = WaitingMax;
            foreach (var (target, job) in sorted)
            {
                if (Offer(target, job, most) is { } one)
                {
                    rejected.Add(one);
                }
            }

            if (rejected.Count > 0)
            {
                Watch(Task.Run(() => ReturnAsync(rejected, most)));
            }
        }
    }

    /// <summary>Destinations end what is under way, for a while; what waits goes back to the spool.</summary>
    public async Task StopAsync()
    {
        List<Destination> destinations;
        lock (_gate)
        {
            destinations = [.. _destinations.Values];
            _destinations.Clear();
        }

        await Task.WhenAll(destinations.Select(destination => destination.DisposeAsync().AsTask()));
        await context.CallBackAsync(context.Parked.TakeAll(_ => true)); // the next start does not know them
    }

    /// <summary>Awaits what goes on behind the scenes: destinations without a route, messages on their way back to the spool.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] underWay;
        lock (_gate)
        {
            underWay = [.. _underWay];
        }

        await Task.WhenAll(underWay);
    }

    /// <summary>A target with nothing left to do is forgotten: there may be one for each domain that is written to.</summary>
    private void Retire(RouteTarget target)
    {
        lock (_gate)
        {
            if (_destinations.TryGetValue(target, out var destination) && destination.TryRetire())
            {
                _destinations.Remove(target);
            }
        }
    }

    private List<(RouteTarget Target, RelayJob Job)> Sort(SpooledMessage message, Current current)
    {
        var groups = message.Recipients.GroupBy(recipient => TargetOf(recipient, current))
            .SelectMany(group => group.Chunk(context.Options.Relay.RecipientsPerTransaction)
                .Select(recipients => (Target: group.Key, Recipients: recipients))).ToList();
        var parent = new RelayedMessage(message, Math.Max(1, groups.Count));
        if (groups.Count == 0)
        {
            context.EndJob(new RelayJob(parent, []));
        }

        var jobs = new List<(RouteTarget, RelayJob)>(groups.Count);
        foreach (var (target, recipients) in groups)
        {
            var job = new RelayJob(parent, [.. recipients]);
            if (target is { } known)
            {
                jobs.Add((known, job));
            }
            else
            {
                WatchLocked(Task.Run(() => DeferWithoutRouteAsync(job)));
            }
        }

        return jobs;
    }

    private RouteTarget? TargetOf(SpooledRecipient recipient, Current current) =>
        current.Routes.Find(recipient.Path.Mailbox) is { } hop ? context.Planner.TargetOf(hop, recipient.Path.Mailbox.AsciiDomain) : null;

    /// <summary>Null when its destination has taken it. Under the lock.</summary>
    private RejectedJob? Offer(RouteTarget target, RelayJob job, int most)
    {
        if (!_current.Hops.Contains(target.Hop))
        {
            return new RejectedJob(job, target, null, Admission.Closed); // the routes have changed since it was sorted
        }

        if (!_destinations.TryGetValue(target, out var destination))
        {
            _destinations.Add(target, destination = new Destination(target, context, Retire));
        }

        return destination.Enqueue(job, most) is not Admission.Taken and var why ? new RejectedJob(job, target, destination, why) : null;
    }

    private async Task ReturnAsync(List<RejectedJob> rejected, int most)
    {
        await context.ReleaseAsync([.. rejected.Where(one => one.Why == Admission.Closed).Select(one => one.Job)]);

        var full = rejected.FindAll(one => one.Why == Admission.Full);
        var requeued = full.SelectMany(one =>
        {
            var reply = new Reply(451, new(4, 4, 5), "Waiting: many messages for the same next server are before this one");
            var at = context.Parked.Park(one.Target, one.Job, null) ?? one.Destination!.NextRoomAt(most);
            return one.Job.Recipients.Select(recipient =>
                (one.Job.Message, Attempt.Local(recipient, RelayFailure.WaitsForRoom, reply, one.Target.ToString()) with { UntriedUntil = at }));
        }).ToList();
        if (requeued.Count > 0)
        {
            var target = full[0].Target;
            _throttle.Write(
                target.ToString(), $"{target} takes mail more slowly than it comes: the rest waits in the queue, mail for other routes goes past it");
            await context.Recorder.RequeueAsync(requeued);
        }

        rejected.ForEach(one => context.EndJob(one.Job));
    }

    /// <summary>A route that was taken out of the configuration may come back: it is no reason to bounce at once.</summary>
    private async Task DeferWithoutRouteAsync(RelayJob job)
    {
        var reply = new Reply(451, new(4, 3, 5), "No route of this server leads there any more");
        await context.Recorder.RecordAsync(job.Message,
            [.. job.Recipients.Select(recipient => Attempt.Local(recipient, RelayFailure.NoRoute, reply, "none"))]);
        context.EndJob(job);
    }

    private void WatchLocked(Task task)
    {
        lock (_gate)
        {
            Watch(task);
        }
    }

    /// <summary>Under the lock.</summary>
    private void Watch(Task task)
    {
        _underWay.Add(task);
        _ = task.ContinueWith(
            ended =>
            {
                lock (_gate)
                {
                    _underWay.Remove(ended);
                }
            },
            TaskScheduler.Default);
    }
}
