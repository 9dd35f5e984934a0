using System.Collections.Immutable;
using System.Threading.Channels;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Relay;

/// <summary>One next hop: its queue, and as many workers as it can bear, each with a connection it uses again and again.</summary>
internal sealed class Destination(
    NextHop hop, ServerOptions options, RelayServices services, OutcomeRecorder recorder, Action<RelayJob> endJob) : IAsyncDisposable
{
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(20);

    private readonly Channel<RelayJob> _jobs = Channel.CreateUnbounded<RelayJob>();
    private readonly Concurrency _concurrency = new(hop.Route.ConnectionsMax);
    private readonly Hosts _hosts = new(hop.Route.Smarthosts, options.Relay, services.Time);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _workers = [];
    private int _waiting;
    private int _running;
    private int _busy;

    public void Enqueue(RelayJob job)
    {
        Count(busy: 0, waiting: 1);
        if (!_jobs.Writer.TryWrite(job))
        {
            _ = GiveBackAsync(job); // closed a moment ago, by a change of routes
            return;
        }

        StartWorkers();
    }

    /// <summary>Workers end the transaction they are in; what waits goes back to the spool.</summary>
    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        await _stop.CancelAsync();
        Task[] workers;
        lock (_gate)
        {
            workers = [.. _workers];
        }

        await Task.WhenAny(Task.WhenAll(workers), Task.Delay(StopMax, services.Time));
        while (_jobs.Reader.TryRead(out var job))
        {
            await GiveBackAsync(job);
        }

        _stop.Dispose();
    }

    /// <summary>As many as there are jobs that no idle worker will take: one that is busy may be so for ten minutes.</summary>
    private void StartWorkers()
    {
        lock (_gate)
        {
            while (!_stop.IsCancellationRequested && _running < _concurrency.Limit && _running - _busy < _waiting)
            {
                _running++;
                var worker = Task.Run(WorkAsync);
                _workers.Add(worker);
                _ = worker.ContinueWith(Forget, TaskScheduler.Default);
            }
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
        RelayConnection? connection = null;
        try
        {
            while (await NextAsync() is { } job)
            {
                try
                {
                    connection = hop.Route.Capture is { } folder
                        ? await CaptureAsync(job, folder)
                        : await RelayAsync(job, connection);
                }
                finally
                {
                    Count(busy: -1, waiting: 0);
                    endJob(job);
                }
            }
        }
        catch (Exception exception)
        {
            services.Log.Write(new MailEvent.Problem($"relaying to {hop} stopped: {exception.Message}"));
        }
        finally
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }

            lock (_gate)
            {
                _running--;
            }

            if (!_stop.IsCancellationRequested)
            {
                StartWorkers();
            }
        }
    }

    /// <summary>The next job; null when there was none for a while, when we stop, or when the next hop should have fewer of us.</summary>
    private async ValueTask<RelayJob?> NextAsync()
    {
        if (_stop.IsCancellationRequested || _running > _concurrency.Limit)
        {
            return null;
        }

        if (!_jobs.Reader.TryRead(out var job))
        {
            using var limit = new CancellationTokenSource(options.Relay.IdleTimeout, services.Time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
            try
            {
                job = await _jobs.Reader.ReadAsync(both.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ChannelClosedException)
            {
                return null;
            }
        }

        Count(busy: 1, waiting: -1);
        return job;
    }

    private void Count(int busy, int waiting)
    {
        lock (_gate)
        {
            _busy += busy;
            _waiting += waiting;
        }
    }

    private async Task<RelayConnection?> CaptureAsync(RelayJob job, string folder)
    {
        var reply = await Maildir.KeepAsync(
            folder, job.Message with { Recipients = job.Recipients }, job.Recipients[0].Attempts, ReadAsync(job), default);
        var kind = reply.IsPositive ? VerdictKind.Relayed : VerdictKind.Deferred;
        await recorder.RecordAsync(
            job, [.. job.Recipients.Select(r => new RelayVerdict(r.Number, kind, reply))], options, hop.ToString(), true, false);
        return null;
    }

    /// <summary>Tries the hosts in turn until one has said something about the recipients.</summary>
    private async Task<RelayConnection?> RelayAsync(RelayJob job, RelayConnection? connection)
    {
        var verdicts = ImmutableArray<RelayVerdict>.Empty;
        var tried = false;
        foreach (var host in Candidates(connection))
        {
            tried = true;
            try
            {
                (connection, verdicts) = await TryHostAsync(job, host, connection);
            }
            catch (OperationCanceledException)
            {
                await ReleaseAsync(job); // we stop: that is no attempt
                return null;
            }

            if (!verdicts.All(verdict => verdict is { Kind: VerdictKind.Deferred, WholeHost: true }))
            {
                break;
            }
        }

        if (!tried)
        {
            var why = _hosts.WhyDown();
            verdicts = [.. job.Recipients.Select(recipient => new RelayVerdict(recipient.Number, VerdictKind.Deferred, why))];
        }

        var reports = connection?.Capabilities.Dsn ?? true;
        await recorder.RecordAsync(job, verdicts, options, connection?.Host.ToString() ?? hop.ToString(), reports, !tried);
        if (connection is { IsUsable: false })
        {
            await connection.DisposeAsync(); // at once: a host that said 421 or talks nonsense need not wait for our idle time
            return null;
        }

        return connection;
    }

    /// <summary>The host of an open connection first, unless a better one is back.</summary>
    private ImmutableArray<SmarthostAddress> Candidates(RelayConnection? connection)
    {
        var up = _hosts.Up();
        return connection is { IsUsable: true } && up.Length > 0 && up[0] == connection.Host ? [connection.Host, .. up.Skip(1)] : up;
    }

    private async Task<(RelayConnection? Connection, ImmutableArray<RelayVerdict> Verdicts)> TryHostAsync(
        RelayJob job, SmarthostAddress host, RelayConnection? connection)
    {
        var reused = false;
        try
        {
            if (connection is not null && (!connection.IsUsable || connection.Host != host || IsWornOut(connection)))
            {
                await connection.DisposeAsync();
                connection = null;
            }

            reused = connection is not null;
#pragma warning disable CA2000 // The worker keeps it for its next job and disposes it when it ends.
            connection ??= await RelayConnection.OpenAsync(host, hop.Route, options.Hostname, options.Timeouts, services.Time, _stop.Token);
#pragma warning restore CA2000
        }
        catch (HostException exception)
        {
            _concurrency.Failed();
            _hosts.Failed(host, exception.Reply);
            return (null, All(job, exception.Reply));
        }
        var transaction = await connection.SendAsync(job.ToMail(), () => ReadAsync(job), default);
        ImmutableArray<RelayVerdict> verdicts = [.. transaction.Verdicts];
        var lost = !connection.IsUsable && verdicts.All(verdict => verdict.WholeHost);
        if (lost && reused)
        {
            return await TryHostAsync(job, host, connection); // it had closed an idle connection: no fault of anybody's
        }

        Learn(host, lost, verdicts);
        return (connection, verdicts);
    }

    private void Learn(SmarthostAddress host, bool lost, ImmutableArray<RelayVerdict> verdicts)
    {
        if (lost)
        {
            _concurrency.Failed();
            _hosts.Failed(host, verdicts[0].Reply);
        }
        else
        {
            _hosts.Succeeded(host);
            if (verdicts.Any(verdict => verdict.Kind == VerdictKind.Relayed))
            {
                _concurrency.Succeeded();
                StartWorkers();
            }
        }
    }

    private bool IsWornOut(RelayConnection connection)
    {
        var said = connection.Capabilities.MessagesMax;
        return connection.Messages >= (said > 0 ? Math.Min(said, options.Relay.MessagesPerConnection) : options.Relay.MessagesPerConnection);
    }

    private static ImmutableArray<RelayVerdict> All(RelayJob job, Reply reply) =>
        [.. job.Recipients.Select(recipient => new RelayVerdict(recipient.Number, VerdictKind.Deferred, reply, WholeHost: true))];

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(RelayJob job)
    {
        if (job.Message.Content is { } content)
        {
            yield return content;
            yield break;
        }

        await using var reader = await services.Spool.OpenContentAsync(job.Message.Id, default)
            ?? throw new IOException($"the content of {job.Message.Id} is gone");
        while (await reader.ReadAsync(default) is { IsEmpty: false } piece)
        {
            yield return piece;
        }
    }

    private async Task GiveBackAsync(RelayJob job)
    {
        await ReleaseAsync(job);
        endJob(job);
    }

    /// <summary>Due again at once: after a change of routes another destination of ours takes it.</summary>
    private async Task ReleaseAsync(RelayJob job)
    {
        try
        {
            await services.Spool.ReleaseClaimAsync(job.Message.Id, [.. job.Recipients.Select(recipient => recipient.Number)], default);
            services.Handoff.Wake();
        }
        catch (Exception exception)
        {
            services.Log.Write(new MailEvent.Problem($"{job.Message.Id} could not be given back: {exception.Message}"));
        }
    }
}
