using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Routing;

namespace Sallyport.Tests.Server.Relay;

/// <summary>A planner as MX will be one: each recipient domain has a plan of its own, which the test writes and changes.</summary>
internal sealed class FakePlanner(TimeProvider time) : IRoutePlanner
{
    private int _asked;

    /// <summary>What the domain's plan is at this moment.</summary>
    public Func<string, CancellationToken, ValueTask<RoutePlan>> Plan { get; set; } = (_, _) => throw new InvalidOperationException("no plan");

    /// <summary>How often a plan was asked for.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public RouteTarget TargetOf(NextHop hop, string domain) => new(hop, domain);

    public ValueTask<RoutePlan> PlanAsync(RouteTarget target, CancellationToken cancel)
    {
        Interlocked.Increment(ref _asked);
        return Plan(target.Domain, cancel);
    }

    public void Answer(Func<string, RoutePlan> plan) => Plan = (domain, _) => ValueTask.FromResult(plan(domain));

    /// <summary>Valid for a minute, in the order and with the preferences 10, 20, …</summary>
    public HostPlan To(params SmarthostAddress[] hosts) =>
        To([.. hosts.Select((host, i) => Host(host, 10 * (i + 1)))]);

    public HostPlan To(ImmutableArray<PlannedHost> hosts) => new(hosts, time.GetUtcNow() + TimeSpan.FromMinutes(1));

    public static PlannedHost Host(
        SmarthostAddress host, int preference, string? name = null, RelayTls tls = RelayTls.None, string? authorities = null) =>
        new(new HostKey(name ?? host.Host, host.Port), new TlsDemand(tls, false, name ?? host.Host, authorities))
        {
            Preference = preference,
            Addresses = [IPAddress.Parse(host.Host)],
        };

    public DeferredPlan NotNow() => new(
        new HostFailure(RelayFailure.ResolverUnavailable, new Reply(451, new(4, 4, 3), "No answer from DNS")),
        time.GetUtcNow() + TimeSpan.FromSeconds(10));

    public FailedPlan Never() => new(
        new HostFailure(RelayFailure.Unresolvable, new Reply(550, new(5, 1, 2), "No such domain")),
        time.GetUtcNow() + TimeSpan.FromMinutes(1));
}
