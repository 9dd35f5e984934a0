using System.Net;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

/// <summary>[guard]: against password guessing.</summary>
public sealed record GuardOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>Failures count for so long.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Distinct wrong secrets of one login from one network before it must wait; twice as many from a network it is known from.</summary>
    public int FailuresPerLoginAndNetwork { get; init; } = 5;

    /// <summary>Distinct failures from one IPv4 address or IPv6 /64 before it is banned.</summary>
    public int FailuresPerNetwork { get; init; } = 20;

    /// <summary>Wrong secrets of one login that a directory is asked within <see cref="Window"/>; below its own lockout.</summary>
    public int DirectoryFailuresPerLogin { get; init; } = 8;

    /// <summary>The first ban; each further one is twice as long.</summary>
    public TimeSpan BanFirst { get; init; } = TimeSpan.FromMinutes(10);

    public TimeSpan BanMax { get; init; } = TimeSpan.FromDays(1);

    /// <summary>No failure is answered sooner: an unknown login and a wrong password take the same time.</summary>
    public TimeSpan FailureFloor { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest wait before a failure is answered.</summary>
    public TimeSpan DelayMax { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How long a network counts as known after a login's last success from it.</summary>
    public TimeSpan KnownNetworkFor { get; init; } = TimeSpan.FromDays(90);

    /// <summary>The same wrong secret is asked again only after so long.</summary>
    public TimeSpan StaleRecheck { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Wrong secrets remembered.</summary>
    public int EntriesMax { get; init; } = 200_000;

    /// <summary>Networks that are never banned: a proxy, the office.</summary>
    public ValueList<IPNetwork> NeverBan { get; init; } = [];

    public bool IsExempt(IPAddress client)
    {
        foreach (var network in NeverBan)
        {
            if (network.Contains(client))
            {
                return true;
            }
        }

        return false;
    }
}
