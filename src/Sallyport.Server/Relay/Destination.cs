using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Relay;

internal enum Admission
{
    Taken,

    /// <summary>It has as much as it may hold: the message waits in the spool, so that others get past it.</summary>
    Full,

    /// <summary>Its route is gone.</summary>
    Closed,
}

/// <summary>
/// One target: its bounded queue, and as many workers as its hosts can bear, each with a connection it uses again and again. What it knows of
/// hosts is in the registry, so that it can be forgotten when it has nothing to do.
/// </summary>
/// <param name="idle">Told, under no lock, when the last worker has ended.</param>
internal sealed class Destination(RouteTarget target, RelayContext context, Action<RouteTarget> idle) : IAsyncDisposable
{
    private const int CalledBackAtOnce = 200;
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(20);

    private readonly DestinationHosts _hosts = new(target, context);
    private readonly RequeuePacer _pacer = new(context.Services.Time);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly LinkedList<RelayJob> _jobs = [];
    private readonly LinkedList<TaskCompletionSource<RelayJob?>> _idle = [];
    private readonly HashSet<Task> _workers = [];
    private int _running;
    private int _starting;
    private int _most = int.MaxValue;
    private bool _callsBack;
    private bool _closed;

    /// <param name="most">Jobs that may wait here.</param>
    public Admission Enqueue(RelayJob job, int most)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return Admission.Closed;
            }

            _most = most;
            if (_jobs.Count >= most)
            {
                return Admission.Full;
            }

            Queue(job, first: false);
            return Admission.Taken;
        }
    }

    /// <summary>When a message that found no room here should come again.</summary>
    public DateTimeOffset NextRoomAt(int most) => _pacer.Next(most);

    /// <summary>Where its mail goes is asked anew.</summary>
    public void ExpirePlan() => _hosts.ExpirePlan();

    /// <summary>Closes it if it has nothing to do: true, and it takes nothing more.</summary>
    public bool TryRetire()
    {
        lock (_gate)
        {
            if (_jobs.Count > 0 || _running > 0 || _closed)
            {
                return false;
            }

            _closed = true;
        }

        _stop.Dispose();
        return true;
    }

    /// <summary>What waits goes back to the spool at once; workers end the transaction they are in.</summary>
    public async ValueTask DisposeAsync()
    {
        List<RelayJob> waiting;
        Task[] workers;
        lock (_gate)
        {
            _closed = true;
            waiting = [.. _jobs];
            _jobs.Clear();
            workers = [.. _workers];
            foreach (var free in _idle)
            {
                free.TrySetResult(null);
            }

            _idle.Clear();
        }

        await context.ReleaseAsync(waiting);
        waiting.ForEach(context.EndJob);

        await _stop.CancelAsync();
        var ended = Task.WhenAll(workers);
        using var limit = new CancellationTokenSource(StopMax, context.Services.Time);
        await Task.WhenAny(ended, Task.Delay(Timeout.InfiniteTimeSpan, limit.Token));
        if (ended.IsCompleted)
        {
            _stop.Dispose();
        }
    }

    /// <summary>Hands it to a worker that is idle, or lets it wait and sees to it that somebody comes. Under the lock.</summary>
    private void Queue(RelayJob job, bool first)
    {
        if (_idle.Last is { } free)
        {
            _idle.RemoveLast(); // the one idle for the shortest time: its connection is the freshest
            free.Value.TrySetResult(job);
            return;
        }

        _ = first ? _jobs.AddFirst(job) : _jobs.AddLast(job);
        StartWorkers();
    }

    /// <summary>Busy workers are of no help to what waits: one may sit in its final dot for ten minutes. Under the lock.</summary>
    private void StartWorkers()
    {
        for (var unserved = _jobs.Count - _starting; unserved > 0 && !_closed && _running < _hosts.ConnectionLimit; unserved--)
        {
            _running++;
            _starting++;
            var worker = Task.Run(WorkAsync);
            _workers.Add(worker);
            _ = worker.ContinueWith(Forget, TaskScheduler.Default);
        }
    }

    private void Forget(Task worker)
    {
        lock (_gate)
        {
            _workers.Remove(worker);
        }
    }

    private async Task WorkAsync()
    {
        var worker = new RelayWorker(target, context, _hosts);
        var left = false;
        try
        {
            var goesOn = true;
            for (var isNew = true; goesOn && !(left = await IsTooManyAsync(worker, isNew)) && await NextAsync() is { } job; isNew = false)
            {
                goesOn = await HandleAsync(worker, job);
            }
        }
        finally
        {
            await CloseAsync(worker);
            EndWorker(left);
        }
    }

    /// <param name="left">It is out of the count already.</param>
    private void EndWorker(bool left)
    {
        bool last;
        lock (_gate)
        {
            _running -= left ? 0 : 1;
            StartWorkers();
            last = _running == 0 && _jobs.Count == 0;
        }

        if (last)
        {
            idle(target);
        }
    }

    private async Task CloseAsync(RelayWorker worker)
    {
        try
        {
            await worker.CloseAsync();
        }
        catch (Exception exception)
        {
            context.Services.Log.Write(new MailEvent.Problem($"a connection to {target} could not be closed: {exception.Message}"));
        }
    }

    /// <summary>
    /// Whether the next hop should have one less of us, and this is the one. A worker with a connection stays as long as the connections
    /// are not too many: those that were just refused one are about to leave. The last one stays: another destination may use the same host.
    /// Who leaves is out of the count at once, so that of several who ask only as many go as are too many.
    /// </summary>
    private async ValueTask<bool> IsTooManyAsync(RelayWorker worker, bool isNew)
    {
        lock (_gate)
        {
            _starting -= isNew ? 1 : 0;
            if (_running <= 1 || (!worker.HasConnection && _running <= _hosts.ConnectionLimit))
            {
                return false;
            }

            if (!worker.HasConnection)
            {
                _running--;
                return true;
            }
        }

        if (!await worker.TryLeaveAsync())
        {
            return false;
        }

        lock (_gate)
        {
            _running--;
        }

        return true;
    }

    /// <summary>The next job; null when there was none for a while, or when we stop.</summary>
    private async ValueTask<RelayJob?> NextAsync()
    {
        TaskCompletionSource<RelayJob?> free;
        lock (_gate)
        {
            if (_closed)
            {
                return null;
            }

            if (_jobs.First is { } first)
            {
                _jobs.RemoveFirst();
                return first.Value;
            }

            free = new TaskCompletionSource<RelayJob?>(TaskCreationOptions.RunContinuationsAsynchronously);
            _idle.AddLast(free);
        }

        try
        {
            return await free.Task.WaitAsync(context.Options.Relay.IdleTimeout, context.Services.Time);
        }
        catch (TimeoutException)
        {
            lock (_gate)
            {
                if (_idle.Remove(free))
                {
                    return null;
                }
            }

            return await free.Task; // a job came at the last moment: it is ours
        }
    }

    /// <summary>One job from its first command to its record. Whatever goes wrong, it is settled or given back. False ends the worker.</summary>
    private async Task<bool> HandleAsync(RelayWorker worker, RelayJob job)
    {
        var ended = true;
        try
        {
            var work = target.Hop.Route.Capture is { } folder
                ? await CaptureAsync(job, folder)
                : await worker.RelayAsync(job, _stop.Token);
            lock (_gate)
            {
                StartWorkers(); // the next hop may bear more of us now
            }

            await context.Recorder.RecordAsync(job.Message, work.Settled);
            CallBack(work);
            if (work.Left.IsEmpty)
            {
                return true;
            }

            ended = !await PutBackAsync(job with { Recipients = work.Left, Returned = job.Returned + 1 }, work.Crowded);
            return false;
        }
        catch (Exception exception)
        {
            context.Services.Log.Write(new MailEvent.Problem($"{job.Message.Id} could not be relayed to {target}: {exception}"));
            await DeferAsync(job);
            return false; // with its connection, whose state nobody knows
        }
        finally
        {
            if (ended)
            {
                _pacer.JobEnded();
                context.EndJob(job);
            }
        }
    }

    /// <summary>It works: as many of those that were parked for it come back as there is room for.</summary>
    private void CallBack(Work work)
    {
        if (context.Parked.Count == 0 || !work.Settled.Any(attempt => attempt.UntriedUntil is null && !attempt.Verdict.CanTryNextHost))
        {
            return;
        }

        int room;
        lock (_gate)
        {
            var low = Math.Min(CalledBackAtOnce, Math.Max(1, _most / 2));
            if (_closed || _callsBack || _jobs.Count >= low)
            {
                return;
            }

            room = Math.Min(CalledBackAtOnce, _most - _jobs.Count);
            _callsBack = true;
        }

        _ = Task.Run(async () =>
        {
            await context.CallBackAsync(context.Parked.Take(target, room));
            lock (_gate)
            {
                _callsBack = false;
            }
        });
    }

    /// <summary>After a fault of ours: tried again like any other, so that a message that brings us down does not do so all the time.</summary>
    private async Task DeferAsync(RelayJob job)
    {
        try
        {
            var reply = new Reply(451, new(4, 3, 0), "A fault in this server: its administrator finds more in the log");
            await context.Recorder.RecordAsync(
                job.Message, [.. job.Recipients.Select(recipient => Attempt.Local(recipient, RelayFailure.InternalError, reply, target.ToString()))]);
        }
        catch (Exception exception)
        {
            context.Services.Log.Write(new MailEvent.Problem($"{job.Message.Id} is given back: {exception.Message}"));
            await context.ReleaseAsync(job);
        }
    }

    /// <summary>True when the job waits here again: a worker with a connection takes it.</summary>
    private async Task<bool> PutBackAsync(RelayJob job, bool crowded)
    {
        lock (_gate)
        {
            if (crowded && !_closed)
            {
                Queue(job, first: true);
                return true;
            }
        }

        await context.ReleaseAsync(job);
        return false;
    }

    private async Task<Work> CaptureAsync(RelayJob job, string folder)
    {
        VerdictKind kind;
        RelayFailure failure;
        Reply reply;
        try
        {
            reply = await Maildir.WriteAsync(
                folder, job.Message with { Recipients = job.Recipients }, job.Recipients[0].Attempts, context.ReadAsync(job.Message), default);
            (kind, failure) = reply.IsPositive ? (VerdictKind.Relayed, RelayFailure.None) : (VerdictKind.Deferred, RelayFailure.MaildirUnusable);
        }
        catch (ContentException exception)
        {
            reply = new Reply(451, new(4, 3, 0), "What is kept of this message cannot be read: " + DisplayText.Sanitize(exception.Message));
            (kind, failure) = (VerdictKind.Damaged, RelayFailure.ContentUnreadable);
        }

        return new Work([.. job.Recipients.Select(recipient =>
            new Attempt(recipient, new RelayVerdict(recipient.Number, kind, reply) { IsLocal = true, Failure = failure }, target.ToString())
            {
                HopReports = false,
            })], []);
    }
}
