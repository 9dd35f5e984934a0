using System.Net;

namespace Sallyport.Server.Routing;

/// <summary>
/// Turns a route into hosts. It may ask the network and take its time: it is called under no lock, once for all messages that wait for the
/// same target, and each target waits for itself alone.
/// </summary>
public interface IRoutePlanner
{
    /// <summary>The target of mail to this domain by this route: equal where the plan would be.</summary>
    RouteTarget TargetOf(NextHop hop, string domain);

    /// <remarks>Failures are plans too. What it throws is a fault of ours and defers.</remarks>
    ValueTask<RoutePlan> PlanAsync(RouteTarget target, CancellationToken cancel);
}

/// <summary>Names to addresses.</summary>
public interface IHostResolver
{
    /// <exception cref="System.Net.Sockets.SocketException">There is no such host, or no answer.</exception>
    ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string name, CancellationToken cancel);
}

/// <summary>As the system resolves them: hosts file, DNS, whatever it has been told.</summary>
public sealed class SystemResolver : IHostResolver
{
    public async ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string name, CancellationToken cancel) =>
        await Dns.GetHostAddressesAsync(name, cancel);
}
