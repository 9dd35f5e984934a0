using System.Net;

namespace Sallyport.Server.Configuration;

/// <summary>Networks as people write them.</summary>
public static class NetworkText
{
    /// <summary>"192.0.2.0/24", "2001:db8::/32", or one address. Null when it is neither.</summary>
    public static IPNetwork? Parse(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : null;
}
