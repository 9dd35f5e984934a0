using System.Net;
using Sallyport.Mail.Addressing;
using Sallyport.Store;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>What no table of the file can tell on its own.</summary>
internal sealed class ConfigurationChecks(ConfigurationTables tables, ProblemList problems)
{
    public void Run(ServerOptions options, IReadOnlyList<(Section Section, ListenerOptions Listener)> listeners)
    {
        CheckPresence(options);
        CheckListeners(listeners);
        CheckNames(options);
        CheckRoutes(options);
        CheckRelay(options.Relay);
        CheckAlerts(options);
        QuotaReader.CheckWhole(options.Quotas, (place, doubt) => Doubt(tables.List("quota").ElementAt(place), doubt));
        if (tables.Top.Has("data"))
        {
            CheckData(options.Data);
        }

        if (options.Log.File is { } log)
        {
            CheckLog(log);
        }
    }

    private static void Doubt(Section section, string doubt) => section.Warn(section.Line, "", doubt);

    private void CheckPresence(ServerOptions options)
    {
        if (!tables.Has("listener"))
        {
            problems.Report(0, "listener", "there is no [[listener]]: nobody could connect");
        }

        if (!tables.Has("route"))
        {
            problems.Report(0, "route", "there is no [[route]]: mail would have nowhere to go");
        }

        if (!tables.Has("tls") && options.Listeners.Any(listener => listener.Tls != ListenerTls.None))
        {
            problems.Report(0, "tls", "there is no [tls] with certificate and key, which these listeners need");
        }
    }

    private void CheckListeners(IReadOnlyList<(Section Section, ListenerOptions Listener)> listeners)
    {
        for (var i = 0; i < listeners.Count; i++)
        {
            var (section, listener) = listeners[i];
            var earlier = listeners.Take(i).FirstOrDefault(other => Overlap(other.Listener.Address, listener.Address));
            if (earlier.Section is null)
            {
                continue;
            }

            section.Report("address", earlier.Listener.Address.Equals(listener.Address)
                ? $"{listener.Address} is there twice; the first time in {ProblemList.At(earlier.Section.LineOf("address"))}"
                : $"{listener.Address} overlaps with {earlier.Listener.Address} in {ProblemList.At(earlier.Section.LineOf("address"))}: "
                    + $"{(IsAny(earlier.Listener.Address.Address) ? earlier.Listener.Address.Address : listener.Address.Address)} is every address");
        }
    }

    /// <summary>0.0.0.0 is every IPv4 address, [::] every address of both kinds.</summary>
    private static bool Overlap(IPEndPoint one, IPEndPoint other) => one.Port == other.Port
        && (one.Address.Equals(other.Address)
            || one.Address.Equals(IPAddress.IPv6Any) || other.Address.Equals(IPAddress.IPv6Any)
            || (one.AddressFamily == other.AddressFamily && (IsAny(one.Address) || IsAny(other.Address))));

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private void CheckNames(ServerOptions options)
    {
        foreach (var twice in options.Directories.GroupBy(directory => directory.Name).Where(group => group.Count() > 1))
        {
            ReportLast("name", $"\"{twice.Key}\" is there twice: give each a name of its own");
        }

        string[] names = [.. options.Directories.Select(directory => directory.Name), "local"];
        foreach (var directory in options.Directories)
        {
            var lookup = directory switch
            {
                OidcDirectoryOptions oidc => oidc.LookUpIn,
                CertificateDirectoryOptions certificate => certificate.LookUpIn,
                _ => null,
            };
            if (lookup is not null && (lookup == directory.Name || !names.Contains(lookup)))
            {
                ReportLast("lookup", $"\"{lookup}\" of {directory.Name} is no other directory" + Section.Guess(lookup, names));
            }
        }

        if (options.Directories.OfType<CertificateDirectoryOptions>().Any() && options.Tls?.ClientCa is null)
        {
            ReportLast("type", "\"certificate\" needs client_ca in [tls]: the authority whose client certificates count");
        }

        void ReportLast(string key, string message)
        {
            var last = tables.List("directory").Last();
            last.Report(last.Line, key, message);
        }
    }

    private void CheckRoutes(ServerOptions options)
    {
        var all = options.Routes.ToList().FindIndex(route => route.Recipients.Contains("*"));
        if (all >= 0 && all < options.Routes.Length - 1)
        {
            var after = tables.List("route").Skip(all + 1).First();
            after.Warn(after.Line, "", "is never asked: an earlier route takes all recipients (\"*\"), and the first match wins");
        }

        if (options.Routes.Length > 0 && all < 0)
        {
            problems.Warn(0, "route", "no route takes all recipients (\"*\"): mail to domains not named here is refused");
        }
    }

    private void CheckRelay(RelayOptions relay)
    {
        var section = tables.Table("relay");
        if (relay.WarnAfter >= relay.GiveUpAfter)
        {
            section.Warn("warn_after", "is not before give_up_after: senders get no warning before the bounce");
        }

        if (relay.RetryFirst > relay.RetryMax)
        {
            var key = section.Has("retry_first") ? "retry_first" : "retry_max";
            section.Report(key, $"retry_first ({Quantities.Show(relay.RetryFirst)}) is longer than retry_max ({Quantities.Show(relay.RetryMax)})");
        }
    }

    private void CheckAlerts(ServerOptions options)
    {
        foreach (var address in options.Alert.Mail.Where(address => !options.Routes.Any(route => route.Takes(DomainOf(address)))))
        {
            tables.Table("alert").Warn("mail", $"no route takes {address}: alerts would not reach it");
        }
    }

    private static string DomainOf(string address) => MailboxParser.TryParse(address, out var mailbox) ? mailbox!.AsciiDomain : "";

    private void CheckData(string data)
    {
        if (!AdminSocketPath.Fits(data))
        {
            tables.Top.Report("data", $"the path {data} is too long: at most {AdminSocketPath.DataBytesMax} bytes, for the socket in it");
        }

        if (Directory.Exists(data))
        {
            return;
        }

        var above = NearestAbove(data);
        if (File.Exists(data) || File.Exists(above))
        {
            tables.Top.Report("data", $"{data} cannot be made: {(File.Exists(data) ? data : above)} is a file");
        }
        else if (!UnixFile.MayWrite(above))
        {
            tables.Top.Report("data", $"{data} is not there, and {UnixFile.CurrentUser} may not make it in {above}");
        }
    }

    private void CheckLog(string log)
    {
        var section = tables.Table("log");
        var directory = Path.GetDirectoryName(log) ?? "/";
        if (Directory.Exists(log))
        {
            section.Report("file", $"{log} is a directory; name a file in it");
        }
        else if (!Directory.Exists(directory))
        {
            section.Report("file", $"there is no directory {directory}; make one that belongs to the user the service runs as");
        }
        else if (!UnixFile.MayWrite(File.Exists(log) ? log : directory))
        {
            var (what, owner) = File.Exists(log) ? (log, UnixFile.Owner(log)) : (directory, UnixFile.Owner(directory));
            section.Warn("file", $"{UnixFile.CurrentUser} may not write {what}, which belongs to {owner}; the user the service runs as must");
        }
    }

    private static string NearestAbove(string path)
    {
        while (!Path.Exists(path) && Path.GetDirectoryName(path) is { Length: > 0 } above)
        {
            path = above;
        }

        return path;
    }
}
