using System.Collections.Immutable;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Relay;

/// <summary>The hosts of one destination: its plan, and what the registry knows of those in it.</summary>
internal sealed class DestinationHosts(RouteTarget target, RelayContext context)
{
    private readonly PlanCache _plans = new(context.Planner, target, context.Services.Time);
    private readonly int _connectionsMax = target.Hop.Route.ConnectionsMax;

    private HostRegistry Registry => context.Hosts;

    /// <summary>Connections at once: as many as the host bears that is asked first, and one where all are down.</summary>
    public int ConnectionLimit
    {
        get
        {
            if (_plans.LastHosts is not { } plan)
            {
                return new ConcurrencyLimiter().Limit(_connectionsMax);
            }

            var now = context.Services.Time.GetUtcNow();
            foreach (var host in plan.Hosts)
            {
                if (Registry.DownUntil(host.Key, target.Hop) <= now)
                {
                    return Registry.Limit(host.Key, _connectionsMax);
                }
            }

            return 1;
        }
    }

    public ValueTask<RoutePlan> PlanAsync(CancellationToken cancel) => _plans.GetAsync(cancel);

    public void ExpirePlan() => _plans.Expire();

    /// <summary>Hosts worth a try now, in order of preference.</summary>
    public ImmutableArray<PlannedHost> Up(HostPlan plan)
    {
        var now = context.Services.Time.GetUtcNow();
        return plan.Hosts.RemoveAll(host => Registry.DownUntil(host.Key, target.Hop) > now);
    }

    /// <summary>When the first of those that are down may be asked again; now when none is.</summary>
    public DateTimeOffset BackAt(HostPlan plan)
    {
        var now = context.Services.Time.GetUtcNow();
        return plan.Hosts.Select(host => Registry.DownUntil(host.Key, target.Hop)).Where(until => until > now).DefaultIfEmpty(now).Min();
    }

    /// <summary>Why nothing can be tried: the last failure of the most preferred host.</summary>
    public HostFailure WhyDown(HostPlan plan) =>
        plan.Hosts.Select(host => Registry.LastFailure(host.Key, target.Hop)).FirstOrDefault(failure => failure is not null)
        ?? new(RelayFailure.Unreachable, new Reply(451, new(4, 4, 1), "No host can be reached"));

    public void Failed(PlannedHost host, HostFailure why) => Registry.Failed(host.Key, target.Hop, why);

    public void Succeeded(PlannedHost host) => Registry.Succeeded(host.Key, target.Hop);

    public void Relayed(PlannedHost host) => Registry.Relayed(host.Key, _connectionsMax);

    public void Busy(PlannedHost host) => Registry.Busy(host.Key);

    public bool TryMarkFull(PlannedHost host) => Registry.TryMarkFull(host.Key);

    public int Connections(PlannedHost host) => Registry.Connections(host.Key);

    public bool TryReserve() => Registry.TryReserve();

    public void Release() => Registry.Release();

    public void Opened(PlannedHost host) => Registry.Opened(host.Key);

    public void Closed(PlannedHost host) => Registry.Closed(host.Key);

    public bool TryLeave(PlannedHost host) => Registry.TryLeave(host.Key, _connectionsMax);
}
