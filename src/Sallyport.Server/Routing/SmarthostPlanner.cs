using System.Net;
using System.Net.Sockets;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Routing;

/// <summary>
/// Plans of routes to smarthosts: those of the configuration, in its order, whatever the recipient's domain. Their names are looked up here;
/// one that is not found stays in the plan with its reason, since the others may do.
/// </summary>
public sealed class SmarthostPlanner(IHostResolver resolver, TimeProvider time) : IRoutePlanner
{
    /// <summary>How long addresses are used: the system does not tell how long they are valid.</summary>
    public static readonly TimeSpan AddressesValid = TimeSpan.FromMinutes(1);

    /// <summary>How soon a name that was not found is looked up again.</summary>
    public static readonly TimeSpan FailureValid = TimeSpan.FromSeconds(10);

    public RouteTarget TargetOf(NextHop hop, string domain) => new(hop, "");

    public async ValueTask<RoutePlan> PlanAsync(RouteTarget target, CancellationToken cancel)
    {
        var route = target.Hop.Route;
        var hosts = await Task.WhenAll(route.Smarthosts.Select((host, i) => PlanAsync(route, host, i, cancel)));
        return new HostPlan([.. hosts], hosts.Min(ValidUntil));
    }

    /// <summary>An address that was configured as one is valid for good.</summary>
    private DateTimeOffset ValidUntil(PlannedHost host) => host.Unresolved is not null ? time.GetUtcNow() + FailureValid
        : IPAddress.TryParse(host.Key.Name, out _) ? DateTimeOffset.MaxValue
        : time.GetUtcNow() + AddressesValid;

    private async Task<PlannedHost> PlanAsync(RouteOptions route, SmarthostAddress host, int preference, CancellationToken cancel)
    {
        var tls = new TlsDemand(route.Tls, host.ImplicitTls, route.TlsName ?? host.Host, route.TlsCa);
        var planned = new PlannedHost(new HostKey(host.Host, host.Port), tls) { Preference = preference };
        if (IPAddress.TryParse(host.Host, out var literal))
        {
            return planned with { Addresses = [literal] };
        }

        try
        {
            var found = await resolver.ResolveAsync(host.Host, cancel);
            return found.Count > 0 ? planned with { Addresses = [.. found] } : Unresolved(RelayFailure.Unresolvable, "it has no address");
        }
        catch (SocketException exception)
        {
            var unknown = exception.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData;
            return Unresolved(unknown ? RelayFailure.Unresolvable : RelayFailure.ResolverUnavailable, exception.Message);
        }

        PlannedHost Unresolved(RelayFailure failure, string why) => planned with
        {
            Unresolved = new(failure, new Reply(451, new(4, 4, 1), $"Cannot reach {planned}: {DisplayText.Sanitize(why)}")),
        };
    }
}
