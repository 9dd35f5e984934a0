using System.Globalization;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Limits;

/// <summary>
/// The system's limit of open files, sockets among them, and what of the configuration fits below it. A server at that limit cannot even
/// take a connection to refuse it, so it must never get there.
/// </summary>
public static class FileLimit
{
    /// <summary>Files that are no mail connection: the store's, the log, the admin socket, the runtime's own, connections being refused.</summary>
    public const int Reserve = 128;

    /// <summary>With room for fewer connections than this nothing is served at all.</summary>
    public const int ConnectionsMin = 16;

    private const int FilesOnLinux = 7;
    private const int FilesOnMac = 8;

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

    /// <summary>The options with as many connections as fit, and what to tell the administrator when those are fewer than asked for.</summary>
    /// <exception cref="StartException">Not even <see cref="ConnectionsMin"/> fit.</exception>
    public static (ServerOptions Options, string? Notice) Fit(ServerOptions options, long files)
    {
        var room = Math.Max(0, files - Reserve);
        var relay = Math.Min(options.Routes.Sum(route => (long)route.Smarthosts.Length * route.ConnectionsMax), room / 2);
        var fits = room - relay;
        var asked = options.Limits.Connections;
        if (fits >= asked)
        {
            return (options, null);
        }

        if (fits < ConnectionsMin)
        {
            throw new StartException(string.Create(CultureInfo.InvariantCulture,
                $"This process may have {files} files open, too few to serve mail: raise the limit to {Needed(asked, options)} or more ({HowTo})"));
        }

        return (options with { Limits = options.Limits with { Connections = (int)fits } }, string.Create(CultureInfo.InvariantCulture,
            $"this process may have {files} files open, so {fits} connections at once are taken in place of limits.connections = {asked}; "
            + $"raise the limit to {Needed(asked, options)} or more ({HowTo})"));
    }

    private static string HowTo => OperatingSystem.IsLinux() ? "LimitNOFILE= in the systemd unit, or ulimit -n" : "ulimit -n";

    private static long Needed(int connections, ServerOptions options) =>
        Reserve + connections + options.Routes.Sum(route => (long)route.Smarthosts.Length * route.ConnectionsMax);
}
