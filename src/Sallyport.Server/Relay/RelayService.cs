using System.Collections.Concurrent;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>What every part of the relay uses.</summary>
public sealed record RelayServices(ISpool Spool, Handoff Handoff, IMailLog Log, TimeProvider Time, Func<QueueId> NewQueueId);

/// <summary>
/// Takes claimed messages, straight from submission or back from the spool, sorts their recipients by next hop, and hands each
/// next hop its share. Knows nothing of sessions: it meets them in the store.
/// </summary>
public sealed class RelayService : IAsyncDisposable
{
    private const int ClaimedAtOnce = 200;
    private static readonly TimeSpan LookMax = TimeSpan.FromMinutes(1);

    private readonly RelayServices _services;
    private readonly ConcurrentDictionary<NextHop, Destination> _destinations = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly OutcomeRecorder _recorder;
    private readonly List<Task> _loops = [];
    private int _claimed;

    public RelayService(RelayServices services, ServerOptions options, RouteTable routes)
    {
        _services = services;
        Options = options;
        Routes = routes;
        _recorder = new OutcomeRecorder(services);
    }

    public ServerOptions Options { get; private set; }

    public RouteTable Routes { get; private set; }

    public void Start()
    {
        _loops.Add(TakeAcceptedAsync());
        _loops.Add(TakeDueAsync());
    }

    /// <summary>New routes hold for what is taken from now on; what is under way ends by the old ones.</summary>
    public void Reload(ServerOptions options, RouteTable routes)
    {
        (Options, Routes) = (options, routes);
        foreach (var (hop, destination) in _destinations)
        {
            if (!routes.NextHops.Contains(hop) && _destinations.TryRemove(hop, out _))
            {
                _ = destination.DisposeAsync().AsTask();
            }
        }
    }

    /// <summary>Stops taking, lets transactions under way end for a while, gives the rest back to the spool.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        await Task.WhenAll(_destinations.Values.Select(destination => destination.DisposeAsync().AsTask()));
        _stop.Dispose();
    }

    private async Task TakeAcceptedAsync()
    {
        try
        {
            await foreach (var message in _services.Handoff.Accepted.ReadAllAsync(_stop.Token))
            {
                Dispatch(message);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping: what was not taken is due again at the next start.
        }
    }

    private async Task TakeDueAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var room = Math.Min(ClaimedAtOnce, Options.Relay.MessagesInMemory - Volatile.Read(ref _claimed));
                var due = room > 0 ? await _services.Spool.ClaimDueAsync(_services.Time.GetUtcNow(), room, default) : [];
                Interlocked.Add(ref _claimed, due.Count);
                foreach (var message in due)
                {
                    Dispatch(message);
                }

                if (due.Count == 0 || due.Count == room)
                {
                    await WaitForDueAsync(due.Count > 0);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception exception)
            {
                _services.Log.Write(new MailEvent.Problem("the queue cannot be read: " + exception.Message));
                return; // the store failed for good; the host stops on its own
            }
        }
    }

    private async Task WaitForDueAsync(bool moreAtOnce)
    {
        if (moreAtOnce && Volatile.Read(ref _claimed) < Options.Relay.MessagesInMemory)
        {
            return;
        }

        var next = await _services.Spool.NextDueAsync(_stop.Token);
        var wait = next is { } at ? at - _services.Time.GetUtcNow() : LookMax;
        if (wait <= TimeSpan.Zero)
        {
            // Due, but no room: an ended job wakes us.
            wait = Volatile.Read(ref _claimed) < Options.Relay.MessagesInMemory ? TimeSpan.FromMilliseconds(1) : LookMax;
        }

        using var limit = new CancellationTokenSource(wait < LookMax ? wait : LookMax, _services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        try
        {
            await _services.Handoff.Due.ReadAsync(both.Token);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // The time has come.
        }
    }

    private void Dispatch(SpooledMessage message)
    {
        var perTransaction = Options.Relay.RecipientsPerTransaction;
        var groups = message.Recipients.GroupBy(recipient => Routes.Find(recipient.Path.Mailbox))
            .SelectMany(group => group.Chunk(perTransaction).Select(recipients => (Hop: group.Key, Recipients: recipients))).ToList();
        var parent = new RelayedMessage(message, groups.Count);
        foreach (var (hop, recipients) in groups)
        {
            var job = new RelayJob(parent, [.. recipients]);
            if (hop is null)
            {
                _ = DeferWithoutRouteAsync(job);
                continue;
            }

            _destinations.GetOrAdd(hop, h => new Destination(h, Options, _services, _recorder, EndJob)).Enqueue(job);
        }
    }

    /// <summary>A route that was taken out of the configuration may come back: it is no reason to bounce at once.</summary>
    private async Task DeferWithoutRouteAsync(RelayJob job)
    {
        var reply = new Reply(451, new(4, 3, 5), "No route of this server leads there any more");
        await _recorder.RecordAsync(job, [.. job.Recipients.Select(recipient =>
            new Mail.Relaying.RelayVerdict(recipient.Number, Mail.Relaying.VerdictKind.Deferred, reply))], Options, "none", true, false);
        EndJob(job);
    }

    private void EndJob(RelayJob job)
    {
        if (!job.Parent.EndJob())
        {
            return;
        }

        if (job.Message.ReservedBytes > 0)
        {
            _services.Handoff.Forget(job.Message.ReservedBytes);
        }
        else if (Interlocked.Decrement(ref _claimed) == Options.Relay.MessagesInMemory - 1)
        {
            _services.Handoff.Wake();
        }
    }
}
