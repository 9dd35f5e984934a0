using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Routing;

/// <summary>What a route leads to at this time, and until when that may be taken for true.</summary>
/// <param name="ValidUntil">By our clock. Asked again by the first message after it.</param>
public abstract record RoutePlan(DateTimeOffset ValidUntil);

/// <param name="Hosts">By preference, the lowest first; those of one preference in the order to ask them in. Never empty.</param>
public sealed record HostPlan(ImmutableArray<PlannedHost> Hosts, DateTimeOffset ValidUntil) : RoutePlan(ValidUntil);

/// <summary>Nobody knows just now where mail goes: it is tried again later.</summary>
public sealed record DeferredPlan(HostFailure Why, DateTimeOffset ValidUntil) : RoutePlan(ValidUntil);

/// <summary>It is known that mail goes nowhere: it fails, and its sender is told.</summary>
public sealed record FailedPlan(HostFailure Why, DateTimeOffset ValidUntil) : RoutePlan(ValidUntil);

/// <summary>A host as all destinations know it: what is learnt of it is learnt once.</summary>
public readonly record struct HostKey(string Name, int Port)
{
    public override string ToString() => Name.Contains(':', StringComparison.Ordinal) ? $"[{Name}]:{Port}" : $"{Name}:{Port}";
}

/// <summary>One host of a plan: where it is, and what a connection to it must prove before any mail goes.</summary>
/// <param name="Tls">Never given up for the sake of a delivery.</param>
public sealed record PlannedHost(HostKey Key, TlsDemand Tls)
{
    /// <summary>The lower, the sooner (as in MX).</summary>
    public int Preference { get; init; }

    /// <summary>To be tried in this order.</summary>
    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    /// <summary>Why there is no address; null when there is one.</summary>
    public HostFailure? Unresolved { get; init; }

    public override string ToString() => Key.ToString();
}

/// <summary>What TLS a host must offer and prove.</summary>
/// <param name="IsImplicit">From the first octet, without STARTTLS.</param>
/// <param name="Name">Name the certificate must carry, and for SNI.</param>
/// <param name="Authorities">PEM file with the only authorities to trust; the system's when null.</param>
public sealed record TlsDemand(RelayTls Mode, bool IsImplicit, string Name, string? Authorities = null);
