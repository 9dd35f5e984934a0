using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>libldap's side of a connection, and the socket below it, which ends every call that waits when it is shut.</summary>
internal sealed class LdapHandle : SafeHandle
{
    private readonly Socket _socket;
    private volatile bool _isShut;

    private LdapHandle(Socket socket)
        : base(0, ownsHandle: true) => _socket = socket;

    public override bool IsInvalid => handle == 0;

    /// <summary>True when a deadline shut it.</summary>
    public bool IsShut => _isShut;

    /// <summary>libldap gets a descriptor of its own; ours stays to shut the connection by.</summary>
    /// <exception cref="LdapServerException">libldap could not take it.</exception>
    public static LdapHandle On(Socket socket, string url)
    {
        var made = new LdapHandle(socket);
        var descriptor = NativeLdap.Duplicate(socket.Handle);
        if (descriptor < 0 || NativeLdap.InitOn(descriptor, NativeLdap.OverTcp, url, out var ld) != 0)
        {
            _ = descriptor >= 0 ? NativeLdap.Close(descriptor) : 0;
            made.Dispose();
            throw new LdapServerException("libldap could not use the connection");
        }

        made.SetHandle(ld);
        return made;
    }

    /// <summary>Whatever waits on the connection comes back at once, with an error.</summary>
    public void Shut()
    {
        _isShut = true;
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Gone already.
        }
    }

    /// <summary>Shuts the connection at the deadline unless disposed before.</summary>
    public IDisposable ShutAt(LdapDeadline deadline) =>
        deadline.Time.CreateTimer(static link => ((LdapHandle)link!).Shut(), this, deadline.Left, Timeout.InfiniteTimeSpan);

    protected override bool ReleaseHandle()
    {
        _ = NativeLdap.Unbind(handle, 0, 0);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _socket.Dispose();
        }
    }
}
