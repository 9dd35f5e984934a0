using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Routing;
using Sallyport.Store;

namespace Sallyport.Server.Relay;

/// <param name="Settled">What was found out.</param>
/// <param name="Left">Recipients about whom nothing was: they go back to the queue.</param>
/// <param name="Crowded">The host takes no connection besides those it has: this worker is one too many.</param>
internal sealed record Work(ImmutableArray<Attempt> Settled, ImmutableArray<SpooledRecipient> Left, bool Crowded = false);

/// <summary>
/// One connection at a time to one of a route's smarthosts, used again and again. Asks the hosts in turn until each recipient has an
/// answer that is its own.
/// </summary>
internal sealed class RelayWorker(NextHop hop, RelayContext context, Hosts hosts, ConcurrencyLimiter concurrency)
{
    /// <summary>A job put back so often, because its host takes no connection more, is tried and settled like any other.</summary>
    private const int ReturnsMax = 5;

    private RelayConnection? _connection;

    public bool HasConnection => _connection is not null;

    public async Task<Work> RelayAsync(RelayJob job, CancellationToken stop)
    {
        var settled = ImmutableArray.CreateBuilder<Attempt>();
        var elsewhere = job.Recipients.ToDictionary(recipient => recipient.Number, _ => new List<Attempt>());
        var pending = job.Recipients;
        var asked = 0;
        foreach (var host in Candidates())
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
                elsewhere[answer.Recipient.Number].Add(answer);
            }

            pending = [.. answers.Where(answer => answer.Verdict.CanTryNextHost).Select(answer => answer.Recipient)];
            if (pending.IsEmpty)
            {
                break;
            }
        }

        settled.AddRange(pending.Select(recipient => asked == 0 ? Untried(recipient) : Conclude(elsewhere[recipient.Number])));
        return new Work(settled.ToImmutable(), []);
    }

    /// <summary>The host of an open connection first, unless a better one is back. An open connection is better than any mark.</summary>
    private ImmutableArray<SmarthostAddress> Candidates()
    {
        var up = hosts.Up();
        return _connection is { IsUsable: true, Host: var open }
            && (up.IsEmpty || hosts.Addresses.IndexOf(open) <= hosts.Addresses.IndexOf(up[0]))
            ? [open, .. up.Where(host => host != open)]
            : up;
    }

    private Attempt Untried(SpooledRecipient recipient) =>
        Local(recipient, hosts.WhyDown()) with { UntriedUntil = hosts.BackAt() };

    private Attempt Local(SpooledRecipient recipient, HostFailure why) => Attempt.Local(recipient, why.Failure, why.Reply, hop.ToString());

    /// <summary>
    /// What stands when no host is left to ask: "this host cannot carry it" is final only when every host of the route has said it.
    /// </summary>
    private Attempt Conclude(List<Attempt> answers)
    {
        if (answers.LastOrDefault(answer => !answer.Verdict.IsImpediment) is { } deferred)
        {
            return deferred;
        }

        var last = answers[^1];
        return answers.Count >= hosts.Addresses.Length ? last : Local(last.Recipient, hosts.WhyDown());
    }

    /// <summary>Null when nothing could be asked, and that is nobody's fault: we stop, or the host has enough of our connections.</summary>
    private async Task<List<Attempt>?> AskAsync(RelayJob job, SmarthostAddress host, CancellationToken stop)
    {
        var answers = new List<Attempt>();
        var left = job.Recipients;
        while (!left.IsEmpty)
        {
            var reused = await CanReuseAsync(host);
            if (!reused && await ConnectAsync(job, host, stop) is (var failure, var giveBack))
            {
                if (giveBack && answers.Count == 0)
                {
                    return null;
                }

                answers.AddRange(left.Select(recipient =>
                    Answer(recipient, failure.ToVerdict(recipient.Number), host)));
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
    private async ValueTask<bool> CanReuseAsync(SmarthostAddress host)
    {
        if (_connection is { IsUsable: true } open && open.Host == host && !ReachedReuseLimit(open))
        {
            return true;
        }

        await CloseAsync();
        return false;
    }

    /// <summary>Null once connected; else why not, and whether the message may just wait for a connection that is there already.</summary>
    private async Task<(HostFailure Failure, bool GiveBack)?> ConnectAsync(RelayJob job, SmarthostAddress host, CancellationToken stop)
    {
        try
        {
            var options = context.Options;
            _connection = await RelayConnection.OpenAsync(host, hop.Route, options.Hostname, options.Timeouts, context.Services.Time, stop);
            hosts.Opened(host);
            return null;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return (new(RelayFailure.None, Replies.ShuttingDown), true);
        }
        catch (HostException exception) when (exception.IsBusy && hosts.Connections(host) is > 0 and var open && job.Returned < ReturnsMax)
        {
            concurrency.Crowded(open);
            return (exception.Why, true);
        }
        catch (HostException exception)
        {
            concurrency.Failed();
            hosts.Failed(host, exception.Why);
            return (exception.Why, false);
        }
    }

    private async Task LearnAsync(SmarthostAddress host, RelayTransaction transaction, ImmutableArray<RelayVerdict> verdicts)
    {
        if (_connection is { IsUsable: false } || transaction.HostState == HostState.RejectsCredentials)
        {
            await CloseAsync(); // at once: a host that said 421 or talks nonsense need not wait for our idle time
        }

        switch (transaction.HostState)
        {
            case HostState.Busy:
                concurrency.Failed();
                break;
            case HostState.RejectsCredentials:
                concurrency.Failed();
                hosts.Failed(host, WhyOf(host, verdicts));
                break;
            case HostState.Disconnected:
                concurrency.Failed();
                if (hosts.Connections(host) == 0)
                {
                    hosts.Failed(host, WhyOf(host, verdicts));
                }

                break;
            default:
                hosts.Succeeded(host);
                if (verdicts.Any(verdict => verdict.Kind == VerdictKind.Relayed))
                {
                    concurrency.Succeeded();
                }

                break;
        }
    }

    /// <summary>The verdict that speaks of the host.</summary>
    private static RelayVerdict About(SmarthostAddress host, ImmutableArray<RelayVerdict> verdicts) =>
        verdicts.LastOrDefault(verdict => verdict is { WholeHost: true, Kind: VerdictKind.Deferred })
        ?? new HostFailure(RelayFailure.ConnectionLost, new Reply(451, new(4, 4, 2), $"The connection to {host} was lost")).ToVerdict(0);

    private static HostFailure WhyOf(SmarthostAddress host, ImmutableArray<RelayVerdict> verdicts)
    {
        var verdict = About(host, verdicts);
        return new HostFailure(verdict.Failure, verdict.Reply);
    }

    private Attempt Answer(SpooledRecipient recipient, RelayVerdict verdict, SmarthostAddress host) => new(recipient, verdict, host.ToString())
    {
        RemoteMta = verdict.IsLocal ? "" : Mta(host),
        HopReports = _connection?.Capabilities.Dsn ?? true,
        SizeMax = _connection?.Capabilities.SizeMax ?? 0,
    };

    private static string Mta(SmarthostAddress host) => !IPAddress.TryParse(host.Host, out _) ? host.Host
        : host.Host.Contains(':', StringComparison.Ordinal) ? $"[IPv6:{host.Host}]" : $"[{host.Host}]";

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
}
