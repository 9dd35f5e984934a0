using System.Globalization;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Limits;

/// <summary>
/// The system's limit of open files, sockets among them, and what of the configuration fits below it. A server at that limit cannot even
/// take a connection to refuse it, so it must never get there.
/// </summary>
public static class FileLimit
{
    /// <summary>Files that are no mail connection: the store's, the log, the admin socket, directories, connections being refused.</summary>
    public const int Reserve = 128;

    /// <summary>Kept free beyond what is open at the start, where that is much: a runtime that is not compiled in has its libraries open.</summary>
    public const int ReserveBeyondStart = 64;

    /// <summary>With room for fewer connections than this nothing is served at all.</summary>
    public const int ConnectionsMin = 16;

    private const int FilesOnLinux = 7;
    private const int FilesOnMac = 8;

    /// <summary>Files this process had open when it began; 0 where that is not known.</summary>
    public static int OpenAtStart { get; } = CountOpen();

    /// <summary>Raises our limit as far as we may. Gives it; <see cref="long.MaxValue"/> where there is none.</summary>
    public static long Lift()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return long.MaxValue;
        }

        var files = OperatingSystem.IsLinux() ? FilesOnLinux : FilesOnMac;
        if (NativeMethods.GetLimit(files, out var limit) != 0)
        {
            return long.MaxValue;
        }

        var raised = limit with { Soft = limit.Hard };
        var inForce = limit.Soft < limit.Hard && NativeMethods.SetLimit(files, raised) == 0 ? raised.Soft : limit.Soft;
        return inForce > long.MaxValue ? long.MaxValue : (long)inForce;
    }

    /// <summary>
    /// The options with as many connections as fit, here and to next hops, and what to tell the administrator when those are fewer than
    /// asked for.
    /// </summary>
    /// <param name="openAtStart">As <see cref="OpenAtStart"/>.</param>
    /// <exception cref="StartException">Not even <see cref="ConnectionsMin"/> fit.</exception>
    public static (ServerOptions Options, string? Notice) Fit(ServerOptions options, long files, int openAtStart)
    {
        var reserve = Math.Max(Reserve, openAtStart + ReserveBeyondStart);
        var room = Math.Max(0, files - reserve);
        var asked = options.Limits.Connections;
        var toNextHops = ToNextHops(options);
        if (room >= asked + toNextHops)
        {
            return (WithNextHops(options, room - asked), null); // whatever hosts a route may lead to: they have what is left
        }

        var relay = Math.Min(toNextHops, room / 2);
        var fits = Math.Min(asked, room - relay);
        var needed = reserve + asked + toNextHops;
        if (fits < Math.Min(asked, ConnectionsMin))
        {
            throw new StartException(string.Create(CultureInfo.InvariantCulture,
                $"This process may have {files} files open, too few to serve mail: raise the limit to {needed} or more ({HowTo})"));
        }

        var nextHops = relay == toNextHops ? "" : $" and {relay} made to next hops";
        var notice = string.Create(CultureInfo.InvariantCulture,
            $"this process may have {files} files open, so {fits} connections at once are taken in place of limits.connections = {asked}{nextHops}; "
            + $"raise the limit to {needed} or more ({HowTo})");
        return (WithNextHops(options, relay) with
        {
            Limits = options.Limits with { Connections = (int)fits },
            Routes = relay == toNextHops ? options.Routes : [.. options.Routes.Select(route => route with
            {
                ConnectionsMax = (int)Math.Max(1, route.ConnectionsMax * relay / toNextHops),
            })],
        }, notice);
    }

    private static ServerOptions WithNextHops(ServerOptions options, long connections) =>
        options with { Relay = options.Relay with { ConnectionsMax = (int)Math.Clamp(connections, 1, int.MaxValue) } };

    private static string HowTo => OperatingSystem.IsLinux() ? "LimitNOFILE= in the systemd unit, or ulimit -n" : "ulimit -n";

    private static long ToNextHops(ServerOptions options) => options.Routes.Sum(route => (long)route.Smarthosts.Length * route.ConnectionsMax);

    private static int CountOpen()
    {
        var folder = OperatingSystem.IsLinux() ? "/proc/self/fd" : "/dev/fd";
        return Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder).Length : 0;
    }
}
