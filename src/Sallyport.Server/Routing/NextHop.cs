using Sallyport.Server.Configuration;

namespace Sallyport.Server.Routing;

/// <summary>
/// Where a recipient's mail goes next. Two that lead to the same place in the same way are equal, whatever routes they come from:
/// they share connections, and a configuration read again that changes nothing of it changes nothing.
/// </summary>
public sealed class NextHop : IEquatable<NextHop>
{
    // Compared once for each group of recipients: whom a route is for does not matter to where it leads.
    private readonly RouteOptions _settings;
    private readonly int _hash;
    private readonly string _shown;

    public NextHop(int number, RouteOptions route)
    {
        (Number, Route) = (number, route);
        _settings = route with { Recipients = [] };
        _hash = _settings.GetHashCode();
        _shown = route.Capture is { } maildir ? "maildir:" + maildir : string.Join(", ", route.Smarthosts);
    }

    /// <summary>The route's place in the configuration, from 1.</summary>
    public int Number { get; }

    public RouteOptions Route { get; }

    public bool Equals(NextHop? other) => ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && _settings == other._settings);

    public override bool Equals(object? obj) => Equals(obj as NextHop);

    public override int GetHashCode() => _hash;

    /// <summary>As logs and tables show it.</summary>
    public override string ToString() => _shown;
}

/// <summary>What a plan is made for: a route, and the recipient's domain where the hosts depend on it.</summary>
/// <param name="Domain">Empty where all domains of the route go the same way.</param>
public readonly record struct RouteTarget(NextHop Hop, string Domain)
{
    public override string ToString() => Domain.Length == 0 ? Hop.ToString() : Domain;
}
