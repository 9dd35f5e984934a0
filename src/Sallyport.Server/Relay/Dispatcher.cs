using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Routing;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>
/// Which destination takes which recipients. Routes change and messages are sorted under one lock, so that no message is handed to a
/// destination whose route is gone.
/// </summary>
internal sealed class Dispatcher(RelayContext context, RouteTable routes) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<NextHop, Destination> _destinations = [];
    private readonly HashSet<Task> _underWay = [];
    private readonly LogThrottle _throttle = new(context.Services.Log, context.Services.Time);

    private sealed record RejectedJob(RelayJob Job, NextHop Hop, Destination Destination, Admission Why);

    public RouteTable Routes { get; private set; } = routes;

    /// <summary>
    /// Jobs one destination may have waiting: so few that all destinations full leave room for one more share of messages on their way.
    /// One route alone may use all of it, there is nobody to starve.
    /// </summary>
    private int WaitingMax
    {
        get
        {
            var hops = Routes.NextHops.Distinct().Count();
            return hops <= 1 ? int.MaxValue : Math.Max(1, context.Options.Relay.MessagesInMemory / (hops + 1));
        }
    }

    public void Reload(RouteTable routes)
    {
        lock (_gate)
        {
            Routes = routes;
            foreach (var (hop, destination) in _destinations.Where(pair => !routes.NextHops.Contains(pair.Key)).ToList())
            {
                _destinations.Remove(hop);
                Watch(destination.DisposeAsync().AsTask());
            }
        }
    }

    public void ForgetFailures()
    {
        lock (_gate)
        {
            foreach (var destination in _destinations.Values)
            {
                destination.ForgetFailures();
            }
        }
    }

    /// <summary>Hands each message to the destinations of its recipients. What no destination takes goes back to the spool.</summary>
    public void Dispatch(IReadOnlyList<SpooledMessage> messages)
    {
        var rejected = new List<RejectedJob>();
        lock (_gate)
        {
            var most = WaitingMax;
            foreach (var message in messages)
            {
                Sort(message, most, rejected);
            }

            if (rejected.Count > 0)
            {
                Watch(ReturnAsync(rejected, most));
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

    /// <summary>Under the lock.</summary>
    private void Sort(SpooledMessage message, int most, List<RejectedJob> rejected)
    {
        var groups = message.Recipients.GroupBy(recipient => Routes.Find(recipient.Path.Mailbox))
            .SelectMany(group => group.Chunk(context.Options.Relay.RecipientsPerTransaction)
                .Select(recipients => (Hop: group.Key, Recipients: recipients))).ToList();
        var parent = new RelayedMessage(message, Math.Max(1, groups.Count));
        if (groups.Count == 0)
        {
            context.EndJob(new RelayJob(parent, []));
        }

        foreach (var (hop, recipients) in groups)
        {
            var job = new RelayJob(parent, [.. recipients]);
            if (hop is null)
            {
                Watch(DeferWithoutRouteAsync(job));
                continue;
            }

            if (!_destinations.TryGetValue(hop, out var destination))
            {
                _destinations.Add(hop, destination = new Destination(hop, context));
            }

            if (destination.Enqueue(job, most) is not Admission.Taken and var why)
            {
                rejected.Add(new RejectedJob(job, hop, destination, why));
            }
        }
    }

    private async Task ReturnAsync(List<RejectedJob> rejected, int most)
    {
        await Task.Yield(); // out of the lock
        foreach (var closed in rejected.Where(one => one.Why == Admission.Closed))
        {
            await context.ReleaseAsync(closed.Job);
        }

        var full = rejected.FindAll(one => one.Why == Admission.Full);
        var requeued = full.SelectMany(one =>
        {
            var reply = new Reply(451, new(4, 4, 5), "Waiting: many messages for the same next server are before this one");
            var at = one.Destination.NextRoomAt(most);
            return one.Job.Recipients.Select(recipient =>
                (one.Job.Message, Attempt.Local(recipient, RelayFailure.WaitsForRoom, reply, one.Hop.ToString()) with { UntriedUntil = at }));
        }).ToList();
        if (requeued.Count > 0)
        {
            var hop = full[0].Hop;
            _throttle.Write(
                hop.ToString(), $"{hop} takes mail more slowly than it comes: the rest waits in the queue, mail for other routes goes past it");
            await context.Recorder.RequeueAsync(requeued);
        }

        rejected.ForEach(one => context.EndJob(one.Job));
    }

    /// <summary>A route that was taken out of the configuration may come back: it is no reason to bounce at once.</summary>
    private async Task DeferWithoutRouteAsync(RelayJob job)
    {
        await Task.Yield(); // out of the lock
        var reply = new Reply(451, new(4, 3, 5), "No route of this server leads there any more");
        await context.Recorder.RecordAsync(job.Message,
            [.. job.Recipients.Select(recipient => Attempt.Local(recipient, RelayFailure.NoRoute, reply, "none"))]);
        context.EndJob(job);
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
