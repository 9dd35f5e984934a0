using System.Net;
using System.Net.Sockets;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Hosting;

/// <summary>Which of the listeners cannot have its address, and what to do about it.</summary>
internal static class ListenErrors
{
    /// <param name="thrown">What was thrown where all addresses were taken together.</param>
    public static string Explain(ServerOptions options, Exception thrown)
    {
        List<string> wrong = [];
        foreach (var listener in options.Listeners)
        {
            if (Try(listener.Address) is { } error)
            {
                wrong.Add(Say(listener.Address, error));
            }
        }

        return wrong.Count > 0
            ? string.Join("; ", wrong)
            : "cannot listen: " + thrown.Message.Replace("http://", "", StringComparison.Ordinal);
    }

    private static SocketError? Try(IPEndPoint address)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(address);
            socket.Listen(1);
            return null;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode;
        }
    }

    private static string Say(IPEndPoint address, SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse =>
            $"cannot listen on {address}: another program does; `ss -ltnp sport = :{address.Port}` shows which",
        SocketError.AccessDenied =>
            $"cannot listen on {address}: ports below 1024 need a right; put AmbientCapabilities=CAP_NET_BIND_SERVICE into the systemd unit",
        SocketError.AddressNotAvailable => $"cannot listen on {address}: this machine has no such address",
        _ => $"cannot listen on {address}: {new SocketException((int)error).Message}",
    };
}
