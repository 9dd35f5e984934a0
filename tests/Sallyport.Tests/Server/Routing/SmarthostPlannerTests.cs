using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;
using Sallyport.Server.Routing;
using Xunit;

namespace Sallyport.Tests.Server.Routing;

/// <summary>How routes to smarthosts become plans.</summary>
public sealed class SmarthostPlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(Now);

    [Fact]
    public async Task Names_are_looked_up_in_order_and_the_plan_holds_for_a_minute()
    {
        var plan = await PlanAsync(
            name => name == "a.test" ? ["192.0.2.1", "2001:db8::1"] : ["192.0.2.2"], new("a.test", 25, false), new("b.test", 465, true));
        Assert.Equal(Now + SmarthostPlanner.AddressesValid, plan.ValidUntil);
        Assert.Equal(["a.test:25 0 192.0.2.1 2001:db8::1", "b.test:465 1 192.0.2.2"],
            plan.Hosts.Select(host => $"{host} {host.Preference} {string.Join(' ', host.Addresses)}"));
        Assert.Equal([new TlsDemand(RelayTls.Encrypt, false, "a.test"), new TlsDemand(RelayTls.Encrypt, true, "b.test")],
            plan.Hosts.Select(host => host.Tls));
    }

    [Theory]
    [InlineData(SocketError.HostNotFound, RelayFailure.Unresolvable)]
    [InlineData(SocketError.NoData, RelayFailure.Unresolvable)]
    [InlineData(SocketError.TryAgain, RelayFailure.ResolverUnavailable)]
    public async Task A_name_that_is_not_found_stays_with_its_reason_and_is_looked_up_again_soon(SocketError error, RelayFailure cause)
    {
        var plan = await PlanAsync(
            name => name == "a.test" ? throw new SocketException((int)error) : ["192.0.2.2"], new("a.test", 25, false), new("b.test", 25, false));
        Assert.Equal((cause, null), (plan.Hosts[0].Unresolved?.Failure, plan.Hosts[1].Unresolved));
        Assert.StartsWith("451 4.4.1 Cannot reach a.test:25: ", plan.Hosts[0].Unresolved!.Reply.ToString(), StringComparison.Ordinal);
        Assert.Equal(Now + SmarthostPlanner.FailureValid, plan.ValidUntil);
    }

    [Fact]
    public async Task An_address_is_not_looked_up_and_holds_for_good()
    {
        var plan = await PlanAsync(name => throw new InvalidOperationException(name), new("192.0.2.1", 25, false), new("::1", 25, false));
        Assert.Equal(DateTimeOffset.MaxValue, plan.ValidUntil);
        Assert.Equal(["192.0.2.1:25", "[::1]:25"], plan.Hosts.Select(host => host.ToString()));
    }

    [Fact]
    public void All_domains_of_a_route_to_smarthosts_are_one_target()
    {
        var planner = new SmarthostPlanner(new FakeResolver(_ => []), _clock);
        var hop = Hop(new SmarthostAddress("a.test", 25, false));
        Assert.Equal(planner.TargetOf(hop, "x.test"), planner.TargetOf(hop, "y.test"));
    }

    private static NextHop Hop(params SmarthostAddress[] hosts) =>
        new(1, new RouteOptions { Recipients = ["*"], Smarthosts = [.. hosts], Tls = RelayTls.Encrypt });

    private async Task<HostPlan> PlanAsync(Func<string, string[]> addresses, params SmarthostAddress[] hosts)
    {
        var planner = new SmarthostPlanner(new FakeResolver(addresses), _clock);
        return Assert.IsType<HostPlan>(await planner.PlanAsync(planner.TargetOf(Hop(hosts), "x.test"), TestContext.Current.CancellationToken));
    }

    private sealed class FakeResolver(Func<string, string[]> addresses) : IHostResolver
    {
        public ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string name, CancellationToken cancel) =>
            ValueTask.FromResult<IReadOnlyList<IPAddress>>([.. addresses(name).Select(IPAddress.Parse)]);
    }
}
