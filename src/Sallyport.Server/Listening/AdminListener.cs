using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Sallyport.Store;

namespace Sallyport.Server.Listening;

/// <summary>The user of the system who opened a connection to the admin socket.</summary>
public sealed record PeerUser(string Name);

/// <summary>Puts the admin API on its Unix socket; each connection says who opened it.</summary>
public static class AdminListener
{
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;
    private const int CredentialBytes = 12;
    private const int UserAt = 4;

    public static void ListenAdmin(this KestrelServerOptions kestrel, string path) =>
        kestrel.ListenUnixSocket(path, listen => listen.Use(next => connection =>
        {
            if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket && PeerOf(socket) is { } name)
            {
                connection.Features.Set(new PeerUser(name));
            }

            return next(connection);
        }));

    /// <summary>As the kernel says (SO_PEERCRED, unix(7)); null where it does not.</summary>
    public static string? PeerOf(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[CredentialBytes];
        return OperatingSystem.IsLinux() && socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == CredentialBytes
            ? UnixFile.NameOf(MemoryMarshal.Read<uint>(credentials[UserAt..]))
            : null;
    }
}
