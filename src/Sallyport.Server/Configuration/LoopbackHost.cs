using System.Net;

namespace Sallyport.Server.Configuration;

/// <summary>What never leaves this machine may go in clear.</summary>
public static class LoopbackHost
{
    /// <summary>"localhost", 127.0.0.0/8 or ::1, also in brackets. No name is looked up.</summary>
    public static bool IsLoopback(string host) =>
        host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>https, or http to this machine: what is trusted must not come over a wire anybody can write to.</summary>
    public static bool IsTrustworthy(Uri uri) => uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && IsLoopback(uri.Host));
}
