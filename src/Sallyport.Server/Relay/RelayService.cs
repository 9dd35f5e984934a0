using Sallyport.Server.Configuration;
using Sallyport.Server.Peers;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <summary>
/// Takes claimed messages, straight from submission or back from the spool, sorts their recipients by next hop, and hands each
/// next hop its share. Knows nothing of sessions: it meets them in the store.
/// </summary>
public sealed class RelayService : IAsyncDisposable
{
    private const int ClaimedAtOnce = 200;
    private static readonly TimeSpan LookMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FaultWaitFirst = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FaultWaitMax = TimeSpan.FromSeconds(30);

    private readonly RelayServices _services;
    private readonly RelayContext _context;
    private readonly Dispatcher _dispatcher;
    private readonly LogThrottle _throttle;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _over = new();
    private readonly List<Task> _loops = [];
    private int _claimed;
    private int _waitsForRoom;
    private long _sweptAt;

    public RelayService(RelayServices services, RouteTable routes)
    {
        _services = services;
        _throttle = new LogThrottle(services.Log, services.Time);
        _context = new RelayContext(services, new OutcomeRecorder(services, _over.Token), EndJob);
        _sweptAt = services.Time.GetTimestamp();
        _dispatcher = new Dispatcher(_context, routes);
    }

    public ServerOptions Options => _services.Site.Options;

    public RouteTable Routes => _dispatcher.Routes;

    private bool HasRoom => Volatile.Read(ref _claimed) < Options.Relay.MessagesInMemory;

    /// <summary>Destinations and hosts in memory: for those who want to know that neither grows without end.</summary>
    internal (int Destinations, int Hosts) Known => (_dispatcher.Destinations, _context.Hosts.Count);

    public void Start()
    {
        _loops.Add(TakeAcceptedAsync());
        _loops.Add(TakeDueAsync());
        _loops.Add(RenewLeaseAsync());
    }

    /// <summary>
    /// New routes hold from now on. A next hop that stays the same keeps its connections; what waits for one that is gone
    /// is sorted anew, what is under way there ends.
    /// </summary>
    public void Reload(RouteTable routes) => _dispatcher.Reload(routes);

    /// <summary>Hosts known to be down are worth a try again: the operator wants an attempt now.</summary>
    public void ForgetFailures() => _dispatcher.ForgetFailures();

    /// <summary>Stops taking, lets transactions under way end for a while, gives the rest back to the spool.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        await _dispatcher.StopAsync();
        await _over.CancelAsync();
        await _dispatcher.DisposeAsync();
        _stop.Dispose();
        _over.Dispose();
    }

    private async Task TakeAcceptedAsync()
    {
        try
        {
            while (await _services.Handoff.Accepted.WaitToReadAsync(_stop.Token))
            {
                var messages = new List<SpooledMessage>();
                while (messages.Count < ClaimedAtOnce && _services.Handoff.Accepted.TryRead(out var message))
                {
                    messages.Add(message);
                }

                Dispatch(messages);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping: what was not taken is due again at the next start.
        }
    }

    /// <summary>Ends when we stop or the store has failed for good. A full disk or a fault of one read passes: nobody restarts us for it.</summary>
    private async Task TakeDueAsync()
    {
        var wait = FaultWaitFirst;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await TakeSomeDueAsync();
                wait = FaultWaitFirst;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                if (_services.Spool.Failed.IsCompleted)
                {
                    _services.Log.Write(new MailEvent.Problem("the store has failed, nothing more is relayed until a restart: " + exception.Message));
                    return;
                }

                _throttle.Write("claim", "the queue cannot be read, trying on: " + exception.Message);
                await PauseAsync(wait);
                wait = wait * 2 < FaultWaitMax ? wait * 2 : FaultWaitMax;
            }
        }
    }

    /// <summary>As long as we renew it, nobody takes over what we have claimed.</summary>
    private async Task RenewLeaseAsync()
    {
        using var timer = new PeriodicTimer(NodeLease.RenewedEvery, _services.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                await RenewOnceAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task RenewOnceAsync()
    {
        try
        {
            if (!await _services.Spool.RenewAsync(default))
            {
                _services.Log.Write(new MailEvent.Problem("this node's lease had run out and another took over what it had in progress"));
            }
        }
        catch (Exception exception)
        {
            _throttle.Write("lease", "this node's lease could not be renewed, trying on: " + exception.Message);
        }
    }

    private async Task TakeSomeDueAsync()
    {
        if (_services.Time.GetElapsedTime(_sweptAt) >= LookMax)
        {
            _dispatcher.Sweep();
            _sweptAt = _services.Time.GetTimestamp();
        }

        var room = Math.Min(ClaimedAtOnce, Options.Relay.MessagesInMemory - Volatile.Read(ref _claimed));
        var due = room > 0 ? await _services.Spool.ClaimDueAsync(_services.Time.GetUtcNow(), room, default) : [];
        Interlocked.Add(ref _claimed, due.Count);
        Dispatch(due);
        if (due.Count == 0)
        {
            await WaitForDueAsync();
        }
    }

    /// <summary>A message that cannot be sorted must not keep those behind it from being taken.</summary>
    private void Dispatch(IReadOnlyList<SpooledMessage> messages)
    {
        try
        {
            _dispatcher.Dispatch(messages);
        }
        catch (Exception exception)
        {
            _services.Log.Write(new MailEvent.Problem(
                $"{string.Join(", ", messages.Select(message => message.Id))} could not be sorted and may wait for a restart: {exception}"));
        }
    }

    private async Task WaitForDueAsync()
    {
        var next = await _services.Spool.NextDueAsync(_stop.Token);
        var wait = next is { } at ? at - _services.Time.GetUtcNow() : LookMax;
        if (wait <= TimeSpan.Zero)
        {
            // Due, but no room: an ended job wakes us.
            Volatile.Write(ref _waitsForRoom, 1);
            wait = HasRoom ? TimeSpan.FromMilliseconds(1) : LookMax;
        }

        using var limit = new WaitLimit(wait < LookMax ? wait : LookMax, _services.Time, _stop.Token);
        try
        {
            await _services.Handoff.Due.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // The time has come.
        }
    }

    private async Task PauseAsync(TimeSpan wait)
    {
        using var limit = new WaitLimit(wait, _services.Time, _stop.Token);
        try
        {
            await Task.WhenAny(Task.Delay(Timeout.InfiniteTimeSpan, limit.Token), _services.Spool.Failed);
        }
        catch (OperationCanceledException)
        {
            // The time has come, or we stop.
        }
    }

    private void EndJob(RelayJob job)
    {
        if (!job.Parent.EndJob())
        {
            return;
        }

        if (job.Message.Reservation is { } reservation)
        {
            reservation.Dispose();
            return;
        }

        Interlocked.Decrement(ref _claimed);
        if (Interlocked.Exchange(ref _waitsForRoom, 0) == 1)
        {
            _services.Handoff.Wake();
        }
    }
}
