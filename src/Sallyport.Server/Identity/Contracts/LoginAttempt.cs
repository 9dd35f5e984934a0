using System.Net;
using Sallyport.Server.Limits;

namespace Sallyport.Server.Identity.Contracts;

/// <summary>Somebody tries to log in.</summary>
/// <param name="Session">Ties it to the log.</param>
/// <param name="Client">From where.</param>
/// <param name="Mechanism">The SASL mechanism.</param>
/// <param name="Login">As it was typed.</param>
public sealed record LoginAttempt(string Session, IPAddress Client, string Mechanism, string Login)
{
    /// <summary>The client's port; 0 when it is not known.</summary>
    public int ClientPort { get; init; }

    /// <summary>The address and port it connected to; null when they are not known.</summary>
    public IPEndPoint? Server { get; init; }

    /// <summary>What limits count by: an IPv4 address or an IPv6 /64.</summary>
    public IPAddress Network => ConnectionGate.NetworkOf(Client);
}
