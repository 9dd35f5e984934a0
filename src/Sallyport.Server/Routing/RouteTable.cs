using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Routing;

/// <summary>The routes by recipient domain; the first that matches decides.</summary>
public sealed class RouteTable(ImmutableArray<RouteOptions> routes)
{
    private readonly ImmutableArray<NextHop> _hops = [.. routes.Select((route, i) => new NextHop(i + 1, route))];

    public ImmutableArray<NextHop> NextHops => _hops;

    /// <summary>Null when no route takes the domain.</summary>
    public NextHop? Find(Mailbox recipient) =>
        _hops.FirstOrDefault(hop => hop.Route.Takes(recipient.AsciiDomain));
}
