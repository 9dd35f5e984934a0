using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

/// <summary>[breaker]: when the mail of a login is held because it departs from what is usual for it.</summary>
public sealed record BreakerOptions
{
    public bool Enabled { get; init; } = true;

    public BreakerLimits Limits { get; init; } = new();

    /// <summary>[[breaker.for]], the first entry for a login decides.</summary>
    public ValueList<BreakerException> For { get; init; } = [];

    /// <summary>What comes from there is never held, and counts in what is usual: applications on this machine.</summary>
    public ValueList<IPNetwork> TrustedNetworks { get; init; } = [new(IPAddress.Parse("127.0.0.0"), 8), new(IPAddress.IPv6Loopback, 128)];

    public bool IsTrusted(IPAddress client)
    {
        client = client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client;
        foreach (var network in TrustedNetworks)
        {
            if (network.Contains(client))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Null: this login is never stopped.</summary>
    public BreakerLimits? LimitsOf(string login, ImmutableArray<string> groups) =>
        !Enabled ? null
        : For.FirstOrDefault(entry => entry.Who.Any(who => new GrantRule(who, "", "").IsFor(login, groups))) is { } entry ? entry.Limits
        : Limits;
}

/// <summary>A [[breaker.for]] entry.</summary>
/// <param name="Who">Logins, "group:NAME" or "*".</param>
/// <param name="Limits">Null: never stopped.</param>
public sealed record BreakerException(ValueList<string> Who, BreakerLimits? Limits);
