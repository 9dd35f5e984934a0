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
internal sealed class RelayWorker(NextHop hop, RelayContext context, Hosts hosts, Concurrency concurrency)
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
            settled.AddRange(answers.Where(answer => !answer.Verdict.AsksElsewhere));
            foreach (var answer in answers.Where(answer => answer.Verdict.AsksElsewhere))
            {
                elsewhere[answer.Recipient.Number].Add(answer);
            }

            pending = [.. answers.Where(answer => answer.Verdict.AsksElsewhere).Select(answer => answer.Recipient)];
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
        Attempt.Own(recipient, hosts.WhyDown(), hop.ToString()) with { UntriedUntil = hosts.BackAt() };

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
        return answers.Count >= hosts.Addresses.Length ? last : Attempt.Own(last.Recipient, hosts.WhyDown(), hop.ToString());
    }

    /// <summary>Null when nothing could be asked, and that is nobody's fault: we stop, or the host has enough of our connections.</summary>
    private async Task<List<Attempt>?> AskAsync(RelayJob job, SmarthostAddress host, CancellationToken stop)
    {
        var answers = new List<Attempt>();
        var left = job.Recipients;
        while (!left.IsEmpty)
        {
            var reused = await KeepAsync(host);
            if (!reused && await ConnectAsync(job, host, stop) is (var reply, var giveBack))
            {
                if (giveBack && answers.Count == 0)
                {
                    return null;
                }

                answers.AddRange(left.Select(recipient =>
                    Answer(recipient, new RelayVerdict(recipient.Number, VerdictKind.Deferred, reply, WholeHost: true) { Ours = true }, host)));
                return answers;
            }

            var most = _connection!.Capabilities.RecipientsMax is > 0 and var said ? said : int.MaxValue;
            ImmutableArray<SpooledRecipient> some = [.. left.Take(most)];
            var transaction = await _connection.SendAsync(job.ToMail(some), () => context.ReadAsync(job.Message), default);
            ImmutableArray<RelayVerdict> verdicts = [.. transaction.Verdicts];
            if (reused && transaction.HostState == HostState.Gone && verdicts.All(verdict => verdict.AsksElsewhere))
            {
                await CloseAsync(); // it had closed an idle connection: no fault of anybody's
                continue;
            }

            answers.AddRange(some.Zip(verdicts, (recipient, verdict) => Answer(recipient, verdict, host)));
            left = left[some.Length..];
            await LearnAsync(host, transaction, verdicts);
            if (transaction.HostState != HostState.Well)
            {
                answers.AddRange(left.Select(recipient => Answer(recipient, About(host, verdicts) with { Number = recipient.Number }, host)));
                return answers;
            }
        }

        return answers;
    }

    /// <summary>Whether there is a connection to this host to be used again; any other is closed.</summary>
    private async ValueTask<bool> KeepAsync(SmarthostAddress host)
    {
        if (_connection is { IsUsable: true } open && open.Host == host && !IsWornOut(open))
        {
            return true;
        }

        await CloseAsync();
        return false;
    }

    /// <summary>Null once connected; else why not, and whether the message may just wait for a connection that is there already.</summary>
    private async Task<(Reply Reply, bool GiveBack)?> ConnectAsync(RelayJob job, SmarthostAddress host, CancellationToken stop)
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
            return (Replies.ShuttingDown, true);
        }
        catch (HostException exception) when (exception.IsBusy && hosts.Connections(host) is > 0 and var open && job.Returned < ReturnsMax)
        {
            concurrency.Crowded(open);
            return (exception.Reply, true);
        }
        catch (HostException exception)
        {
            concurrency.Failed();
            hosts.Failed(host, exception.Reply);
            return (exception.Reply, false);
        }
    }

    private async Task LearnAsync(SmarthostAddress host, RelayTransaction transaction, ImmutableArray<RelayVerdict> verdicts)
    {
        if (_connection is { IsUsable: false } || transaction.HostState == HostState.RefusesUs)
        {
            await CloseAsync(); // at once: a host that said 421 or talks nonsense need not wait for our idle time
        }

        switch (transaction.HostState)
        {
            case HostState.Busy:
                concurrency.Failed();
                break;
            case HostState.RefusesUs:
                concurrency.Failed();
                hosts.Failed(host, About(host, verdicts).Reply);
                break;
            case HostState.Gone:
                concurrency.Failed();
                if (hosts.Connections(host) == 0)
                {
                    hosts.Failed(host, About(host, verdicts).Reply);
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
        ?? new RelayVerdict(0, VerdictKind.Deferred, new Reply(451, new(4, 4, 2), $"The connection to {host} was lost"), WholeHost: true)
        {
            Ours = true,
        };

    private Attempt Answer(SpooledRecipient recipient, RelayVerdict verdict, SmarthostAddress host) => new(recipient, verdict, host.ToString())
    {
        RemoteMta = verdict.Ours ? "" : Mta(host),
        HopReports = _connection?.Capabilities.Dsn ?? true,
        SizeMax = _connection?.Capabilities.SizeMax ?? 0,
    };

    private static string Mta(SmarthostAddress host) => !IPAddress.TryParse(host.Host, out _) ? host.Host
        : host.Host.Contains(':', StringComparison.Ordinal) ? $"[IPv6:{host.Host}]" : $"[{host.Host}]";

    private bool IsWornOut(RelayConnection connection)
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
