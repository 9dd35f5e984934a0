using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Routing;

/// <summary>
/// Where a recipient's mail goes next. Two that lead to the same place in the same way are equal, whatever routes they come from:
/// they share connections, and a configuration read again that changes nothing of it changes nothing.
/// </summary>
public sealed class NextHop(int number, RouteOptions route) : IEquatable<NextHop>
{
    /// <summary>The route's place in the configuration, from 1.</summary>
    public int Number => number;

    public RouteOptions Route => route;

    public bool Equals(NextHop? other) => other is not null && Way(route) == Way(other.Route);

    public override bool Equals(object? obj) => Equals(obj as NextHop);

    public override int GetHashCode() => Way(route).GetHashCode();

    /// <summary>As logs and tables show it.</summary>
    public override string ToString() => route.Capture is { } maildir ? "maildir:" + maildir : string.Join(", ", route.Smarthosts);

    /// <summary>Whom a route is for does not matter to where it leads.</summary>
    private static RouteOptions Way(RouteOptions route) => route with { Recipients = [] };
}

/// <summary>The routes by recipient domain; the first that matches decides.</summary>
public sealed class RouteTable(ImmutableArray<RouteOptions> routes)
{
    private readonly ImmutableArray<NextHop> _hops = [.. routes.Select((route, i) => new NextHop(i + 1, route))];

    public ImmutableArray<NextHop> NextHops => _hops;

    /// <summary>Null when no route takes the domain.</summary>
    public NextHop? Find(Mailbox recipient) =>
        _hops.FirstOrDefault(hop => hop.Route.Takes(recipient.AsciiDomain));
}
