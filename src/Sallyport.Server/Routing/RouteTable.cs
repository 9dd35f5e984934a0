using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Routing;

/// <summary>Where a recipient's mail goes next. Two recipients with the same next hop share connections and transactions.</summary>
public sealed class NextHop(int number, RouteOptions route)
{
    /// <summary>The route's place in the configuration, from 1.</summary>
    public int Number => number;

    public RouteOptions Route => route;

    /// <summary>As logs and tables show it.</summary>
    public override string ToString() => route.Capture is { } maildir ? "maildir:" + maildir : string.Join(", ", route.Smarthosts);
}

/// <summary>The routes by recipient domain; the first that matches decides.</summary>
public sealed class RouteTable(ImmutableArray<RouteOptions> routes)
{
    private readonly ImmutableArray<NextHop> _hops = [.. routes.Select((route, i) => new NextHop(i + 1, route))];

    public ImmutableArray<NextHop> NextHops => _hops;

    /// <summary>Null when no route takes the domain.</summary>
    public NextHop? Find(Mailbox recipient) =>
        _hops.FirstOrDefault(hop => hop.Route.Recipients.Any(pattern => Matches(pattern, recipient.AsciiDomain)));

    /// <summary>"acme.test" is that domain, ".acme.test" what lies below it, "*" all.</summary>
    public static bool Matches(string pattern, string domain) =>
        pattern == "*" || pattern == domain || (pattern.StartsWith('.') && domain.EndsWith(pattern, StringComparison.Ordinal));
}
