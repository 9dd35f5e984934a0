using System.Net;
using System.Net.Sockets;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Limits;

/// <summary>How many connections are open, in all and from each network: an IPv4 address or an IPv6 /64.</summary>
public sealed class ConnectionGate
{
    private const int Ipv6NetworkBytes = 8;

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _networks = [];
    private int _open;

    public int Open
    {
        get
        {
            lock (_gate)
            {
                return _open;
            }
        }
    }

    /// <summary>Null when the connection may come in; else why not. Each that came in must <see cref="Leave"/>.</summary>
    public string? TryEnter(IPAddress client, LimitOptions limits)
    {
        var network = NetworkOf(client);
        lock (_gate)
        {
            if (_open >= limits.Connections)
            {
                return $"{limits.Connections} connections are open, the limit in all";
            }

            var here = _networks.GetValueOrDefault(network);
            if (here >= limits.ConnectionsPerAddress)
            {
                return $"{limits.ConnectionsPerAddress} connections are open from {network}, the limit for one network";
            }

            _networks[network] = here + 1;
            _open++;
            return null;
        }
    }

    public void Leave(IPAddress client)
    {
        var network = NetworkOf(client);
        lock (_gate)
        {
            _open--;
            var here = _networks[network] - 1;
            if (here == 0)
            {
                _networks.Remove(network);
            }
            else
            {
                _networks[network] = here;
            }
        }
    }

    public static IPAddress NetworkOf(IPAddress client)
    {
        if (client.IsIPv4MappedToIPv6)
        {
            return client.MapToIPv4();
        }

        if (client.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return client;
        }

        var octets = client.GetAddressBytes();
        Array.Clear(octets, Ipv6NetworkBytes, octets.Length - Ipv6NetworkBytes);
        return new IPAddress(octets);
    }
}
