using System.Collections.Immutable;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Relay;

/// <summary>What a host of a route said to a connection that sends no mail.</summary>
/// <param name="Failure">None when it would take mail.</param>
/// <param name="Reply">Why not, in words; null when it would.</param>
/// <param name="Tls">As in "TLSv1.3, TLS_AES_256_GCM_SHA384"; empty without TLS.</param>
/// <param name="Mechanism">Of the login; empty without one.</param>
public sealed record ProbeResult(HostKey Host, RelayFailure Failure, Reply? Reply, string Tls, string Mechanism)
{
    public bool Answers => Failure == RelayFailure.None;
}

/// <summary>
/// Opens a connection to each host of a route as the relay does, with its TLS and its login, and says QUIT. For whoever asks whether a
/// route works; it shares nothing with the relay, so it marks no host as down.
/// </summary>
public static class RouteProbe
{
    private static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    /// <summary>The hosts of a route, one after the other; none for a route that keeps its mail in a Maildir.</summary>
    public static async Task<ImmutableArray<ProbeResult>> RunAsync(
        ServerOptions options, RouteOptions route, TimeProvider time, CancellationToken cancel)
    {
        var results = ImmutableArray.CreateBuilder<ProbeResult>();
        var planner = new SmarthostPlanner(new SystemResolver(), time);
        var target = planner.TargetOf(new NextHop(1, route), "");
        var plan = route.Smarthosts.IsEmpty ? null : await new PlanCache(planner, target, time).GetAsync(cancel);
        foreach (var host in plan is HostPlan found ? found.Hosts : [])
        {
            results.Add(await AskAsync(options, route, host, time, cancel));
        }

        return results.ToImmutable();
    }

    private static async Task<ProbeResult> AskAsync(
        ServerOptions options, RouteOptions route, PlannedHost host, TimeProvider time, CancellationToken cancel)
    {
        var timeouts = options.Timeouts with { RelayConnect = ConnectMax, RelayGreeting = AnswerMax, RelayCommand = AnswerMax };
        try
        {
            await using var connection = await RelayConnection.OpenAsync(
                host, new RelayIdentity(options.Hostname, route.Login, route.Password), timeouts, time, cancel);
            return new ProbeResult(
                host.Key, RelayFailure.None, null, connection.Tls.Replace("Tls1", "TLSv1.", StringComparison.Ordinal), connection.Mechanism);
        }
        catch (HostException exception)
        {
            return new ProbeResult(host.Key, exception.Why.Failure, exception.Why.Reply, "", "");
        }
    }
}
