using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Routing;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <param name="Settled">What was found out.</param>
/// <param name="Left">Recipients about whom nothing was: they go back to the queue.</param>
/// <param name="Crowded">The host takes no connection besides those it has: this worker is one too many.</param>
internal sealed record Work(ImmutableArray<Attempt> Settled, ImmutableArray<SpooledRecipient> Left, bool Crowded = false);

/// <summary>
/// One connection at a time to one of a plan's hosts, used again and again. Asks the hosts in turn until each recipient has an
/// answer that is its own.
/// </summary>
internal sealed class RelayWorker(RouteTarget target, RelayContext context, DestinationHosts hosts)
{
    /// <summary>A job put back so often, because its host takes no connection more, is tried and settled like any other.</summary>
    private const int ReturnsMax = 5;

    /// <summary>How soon a message comes again that found all connections of this server in use.</summary>
    private static readonly TimeSpan ConnectionWait = TimeSpan.FromSeconds(5);

    private RelayConnection? _connection;

    public bool HasConnection => _connection is not null;

    public async Task<Work> RelayAsync(RelayJob job, CancellationToken stop)
    {
        RoutePlan plan;
        try
        {
            plan = await hosts.PlanAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new Work([], job.Recipients);
        }

        return plan switch
        {
            HostPlan found => await AskHostsAsync(found, job, stop),
            FailedPlan { Why: var why } => new Work([.. job.Recipients.Select(recipient => Local(recipient, why, VerdictKind.Failed))], []),
            DeferredPlan { Why: var why } => new Work([.. job.Recipients.Select(recipient => Local(recipient, why))], []),
            _ => throw new InvalidOperationException(plan.ToString()),
        };
    }

    /// <summary>Closes a connection that is one too many for its host, as counted with those of all destinations.</summary>
    public async ValueTask<bool> TryLeaveAsync()
    {
        if (_connection is not { } connection || !hosts.TryLeave(connection.Host))
        {
            return false;
        }

        _connection = null;
        await connection.DisposeAsync();
        return true;
    }

    private async Task<Work> AskHostsAsync(HostPlan plan, RelayJob job, CancellationToken stop)
    {
        var settled = ImmutableArray.CreateBuilder<Attempt>();
        var elsewhere = new Dictionary<int, List<Attempt>>();
        var pending = job.Recipients;
        var asked = 0;
        foreach (var host in Candidates(plan))
        {
            var answers = await AskAsync(job with { Recipients = pending }, host, stop);
            if (answers is null)
            {
                return new Work(settled.ToImmutable(), pending, Crowded: !stop.IsCancellationRequested);
            }

            asked++;
            settled.AddRange(answers.Where(answer => !answer.Verdict.CanTryNextHost));
            foreach (var answer in answers.Where(answer => answer.Verdict.CanTryNextHost))
            {
                if (!elsewhere.TryGetValue(answer.Recipient.Number, out var earlier))
                {
                    elsewhere.Add(answer.Recipient.Number, earlier = []);
                }

                earlier.Add(answer);
            }

            pending = [.. answers.Where(answer => answer.Verdict.CanTryNextHost).Select(answer => answer.Recipient)];
            if (pending.IsEmpty)
            {
                break;
            }
        }

        if (asked == 0)
        {
            return new Work(Untried(plan, job), []);
        }

        settled.AddRange(pending.Select(recipient => Conclude(plan, elsewhere[recipient.Number])));
        return new Work(settled.ToImmutable(), []);
    }

    /// <summary>The host of an open connection first, unless a better one is back. An open connection is better than any mark.</summary>
    private ImmutableArray<PlannedHost> Candidates(HostPlan plan)
    {
        var up = hosts.Up(plan);
        return _connection is { IsUsable: true, Host: var opened } && plan.Hosts.FirstOrDefault(host => IsSameWay(host, opened)) is { } open
            && (up.IsEmpty || open.Preference <= up[0].Preference)
            ? [open, .. up.Where(host => host.Key != open.Key)]
            : up;
    }

    /// <summary>A connection is used again only where a new one would have to prove the same.</summary>
    private static bool IsSameWay(PlannedHost host, PlannedHost opened) => host.Key == opened.Key && host.Tls == opened.Tls;

    /// <summary>A few find out whether a host is back as soon as one may be; the rest wait for what they find.</summary>
    private ImmutableArray<Attempt> Untried(HostPlan plan, RelayJob job)
    {
        var (why, backAt) = (hosts.WhyDown(plan), hosts.BackAt(plan));
        var until = context.Parked.Park(target, job, backAt) ?? backAt;
        return [.. job.Recipients.Select(recipient => Local(recipient, why) with { UntriedUntil = until })];
    }

    private Attempt Local(SpooledRecipient recipient, HostFailure why, VerdictKind kind = VerdictKind.Deferred) =>
        new(recipient, new RelayVerdict(recipient.Number, kind, why.Reply) { IsLocal = true, Failure = why.Failure }, target.ToString());

    /// <summary>
    /// What stands when no host is left to ask: "this host cannot carry it" is final only when every host of the plan has said it.
    /// </summary>
    private Attempt Conclude(HostPlan plan, List<Attempt> answers)
    {
        if (answers.LastOrDefault(answer => !answer.Verdict.IsImpediment) is { } deferred)
        {
            return deferred;
        }

        var last = answers[^1];
        return answers.Count >= plan.Hosts.Length ? last : Local(last.Recipient, hosts.WhyDown(plan));
    }

    /// <summary>Null when nothing could be asked, and that is nobody's fault: we stop, or the host has enough of our connections.</summary>
    private async Task<List<Attempt>?> AskAsync(RelayJob job, PlannedHost host, CancellationToken stop)
    {
        var answers = new List<Attempt>();
        var left = job.Recipients;
        while (!left.IsEmpty)
        {
            var reused = await CanReuseAsync(host);
            if (!reused && await ConnectAsync(job, host, stop) is { } refusal)
            {
                if (refusal.GivesBack && answers.Count == 0)
                {
                    return null;
                }

                answers.AddRange(left.Select(recipient =>
                    Answer(recipient, refusal.Why.ToVerdict(recipient.Number), host) with { UntriedUntil = refusal.UntriedUntil }));
                return answers;
            }

            var most = _connection!.Capabilities.RecipientsMax is > 0 and var said ? said : int.MaxValue;
            ImmutableArray<SpooledRecipient> some = [.. left.Take(most)];
            var transaction = await _connection.SendAsync(job.ToMail(some), () => context.ReadAsync(job.Message), default);
            ImmutableArray<RelayVerdict> verdicts = [.. transaction.Verdicts];
            if (reused && transaction.HostState == HostState.Disconnected && verdicts.All(verdict => verdict.CanTryNextHost))
            {
                await CloseAsync(); // it had closed an idle connection: no fault of anybody's
                continue;
            }

            answers.AddRange(some.Zip(verdicts, (recipient, verdict) => Answer(recipient, verdict, host)));
            left = left[some.Length..];
            await LearnAsync(host, transaction, verdicts);
            if (transaction.HostState != HostState.Healthy)
            {
                answers.AddRange(left.Select(recipient => Answer(recipient, About(host, verdicts) with { Number = recipient.Number }, host)));
                return answers;
            }
        }

        return answers;
    }

    /// <summary>Whether there is a connection to this host to be used again; any other is closed.</summary>
    private async ValueTask<bool> CanReuseAsync(PlannedHost host)
    {
        if (_connection is { IsUsable: true } open && IsSameWay(host, open.Host) && !ReachedReuseLimit(open))
        {
            return true;
        }

        await CloseAsync();
        return false;
    }

    /// <summary>Null once connected.</summary>
    private async Task<Refusal?> ConnectAsync(RelayJob job, PlannedHost host, CancellationToken stop)
    {
        if (!hosts.TryReserve())
        {
            var busy = new Reply(451, new(4, 3, 2), "Waiting: as many connections to other servers are open as this one may have");
            return new(new(RelayFailure.WaitsForRoom, busy), false, context.Services.Time.GetUtcNow() + ConnectionWait);
        }

        try
        {
            var (options, route) = (context.Options, target.Hop.Route);
            var us = new RelayIdentity(options.Hostname, route.Login, route.Password);
            _connection = await RelayConnection.OpenAsync(host, us, options.Timeouts, context.Services.Time, stop);
            hosts.Opened(host);
            return null;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return new(new(RelayFailure.None, Replies.ShuttingDown), true);
        }
        catch (HostException exception) when (exception.IsBusy && job.Returned < ReturnsMax && hosts.TryMarkFull(host))
        {
            return new(exception.Why, true);
        }
        catch (HostException exception)
        {
            hosts.Failed(host, exception.Why);
            return new(exception.Why, false);
        }
        finally
        {
            if (_connection is null)
            {
                hosts.Release();
            }
        }
    }

    private async Task LearnAsync(PlannedHost host, RelayTransaction transaction, ImmutableArray<RelayVerdict> verdicts)
    {
        if (_connection is { IsUsable: false } || transaction.HostState == HostState.RejectsCredentials)
        {
            await CloseAsync(); // at once: a host that said 421 or talks nonsense need not wait for our idle time
        }

        switch (transaction.HostState)
        {
            case HostState.Busy:
                hosts.Busy(host);
                break;
            case HostState.RejectsCredentials:
                hosts.Failed(host, WhyOf(host, verdicts));
                break;
            case HostState.Disconnected:
                if (hosts.Connections(host) == 0)
                {
                    hosts.Failed(host, WhyOf(host, verdicts));
                }
                else
                {
                    hosts.Busy(host);
                }

                break;
            default:
                hosts.Succeeded(host);
                if (verdicts.Any(verdict => verdict.Kind == VerdictKind.Relayed))
                {
                    hosts.Relayed(host);
                }

                break;
        }
    }

    /// <summary>The verdict that speaks of the host.</summary>
    private static RelayVerdict About(PlannedHost host, ImmutableArray<RelayVerdict> verdicts) =>
        verdicts.LastOrDefault(verdict => verdict is { WholeHost: true, Kind: VerdictKind.Deferred })
        ?? new HostFailure(RelayFailure.ConnectionLost, new Reply(451, new(4, 4, 2), $"The connection to {host} was lost")).ToVerdict(0);

    private static HostFailure WhyOf(PlannedHost host, ImmutableArray<RelayVerdict> verdicts)
    {
        var verdict = About(host, verdicts);
        return new HostFailure(verdict.Failure, verdict.Reply);
    }

    private Attempt Answer(SpooledRecipient recipient, RelayVerdict verdict, PlannedHost host) => new(recipient, verdict, host.ToString())
    {
        RemoteMta = verdict.IsLocal ? "" : Mta(host),
        HopReports = _connection?.Capabilities.Dsn ?? true,
        SizeMax = _connection?.Capabilities.SizeMax ?? 0,
    };

    private static string Mta(PlannedHost host) => !IPAddress.TryParse(host.Key.Name, out _) ? host.Key.Name
        : host.Key.Name.Contains(':', StringComparison.Ordinal) ? $"[IPv6:{host.Key.Name}]" : $"[{host.Key.Name}]";

    private bool ReachedReuseLimit(RelayConnection connection)
    {
        var most = context.Options.Relay.MessagesPerConnection;
        return connection.Messages >= (connection.Capabilities.MessagesMax is > 0 and var said ? Math.Min(said, most) : most);
    }

    /// <summary>Says QUIT, where anybody listens.</summary>
    public async ValueTask CloseAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            hosts.Closed(connection.Host);
            await connection.DisposeAsync();
        }
    }

    /// <param name="GivesBack">The message may just wait for a connection that is there already.</param>
    /// <param name="UntriedUntil">Nobody was asked: by then there may be room. Null where the host was asked.</param>
    private sealed record Refusal(HostFailure Why, bool GivesBack, DateTimeOffset? UntriedUntil = null);
}
