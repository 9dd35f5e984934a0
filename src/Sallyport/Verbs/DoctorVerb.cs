using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sallyport.Server;
using Sallyport.Server.Admin;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Relay;

namespace Sallyport.Verbs;

/// <summary>doctor: looks at everything mail depends on, and says what is wrong and what to do.</summary>
internal static class DoctorVerb
{
    private static readonly TimeSpan CertificateSoon = TimeSpan.FromDays(14);
    private static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var config = Site.ConfigOption();
        var json = Site.JsonOption();
        var command = new Command("doctor", "Look at certificate, store, listeners, directories and next hops, and say what is wrong.")
        {
            config, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            if (Site.Load(parsed.GetValue(config)!) is not { } options)
            {
                return Exit.Usage;
            }

            List<Finding> findings = [];
            CheckCertificate(options, findings);
            await CheckServerAsync(options, findings, cancel);
            await CheckDirectoriesAsync(options, findings, cancel);
            await CheckRoutesAsync(options, findings, cancel);
            var done = findings.TrueForAll(finding => finding.Outcome != "failed");
            return parsed.GetValue(json) ? Terminal.Json([.. findings], VerbJson.Readable.FindingArray, done) : Show(findings, done);
        });
        return command;
    }

    private static int Show(List<Finding> findings, bool done)
    {
        var table = Terminal.NewTable("Check", "Outcome", "Detail");
        findings.ForEach(finding => table.Row(Terminal.Cell(finding.Check), Terminal.Outcome(finding.Outcome), Terminal.Cell(finding.Detail)));
        Terminal.Out.Write(table);
        Terminal.Line(done ? "Nothing stands in the way of mail." : "Mail will not flow as configured; see above.");
        return done ? Exit.Done : Exit.Failed;
    }

    private static void CheckCertificate(ServerOptions options, List<Finding> findings)
    {
        try
        {
            if (SallyportHost.LoadCertificate(options) is not { Leaf: var leaf })
            {
                return;
            }

            var now = TimeProvider.System.GetUtcNow();
            var until = leaf.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            var (outcome, detail) = !leaf.MatchesHostname(options.Hostname)
                ? ("warning", $"is not for {options.Hostname}: clients that use this name will complain")
                : leaf.NotAfter.ToUniversalTime() < now.UtcDateTime ? ("failed", $"expired {until}")
                : leaf.NotAfter.ToUniversalTime() - now.UtcDateTime < CertificateSoon ? ("warning", $"ends soon: {until}")
                : ("ok", $"for {options.Hostname}, valid until {until}");
            findings.Add(new("certificate", outcome, detail));
        }
        catch (StartException exception)
        {
            findings.Add(new("certificate", "failed", exception.Message));
        }
    }

    private static async Task CheckServerAsync(ServerOptions options, List<Finding> findings, CancellationToken cancel)
    {
        try
        {
            await using var admin = await AdminDoor.OpenAsync(options, TimeProvider.System, cancel);
            var status = await admin.CallAsync(StatusOperations.Show, Everything.Asked, cancel);
            findings.Add(new("store", status.Store == "accepting" ? "ok" : "failed",
                $"{status.Store}; {status.Messages} messages, {status.Due} recipients due, {status.Held} held"));
            findings.Add(status.Running
                ? new("server", "ok", $"{status.Version}, runs since {status.StartedAt:u}, {status.Connections} connections")
                : new("server", "warning", "does not run"));
            if (status.Running)
            {
                foreach (var listener in options.Listeners)
                {
                    findings.Add(await CheckListenerAsync(listener, cancel));
                }
            }
        }
        catch (StartException exception)
        {
            findings.Add(new("store", "failed", exception.Message));
        }
    }

    private static async Task<Finding> CheckListenerAsync(ListenerOptions listener, CancellationToken cancel)
    {
        var any = listener.Address.Address.Equals(IPAddress.Any) || listener.Address.Address.Equals(IPAddress.IPv6Any);
        var address = any ? (listener.Address.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback)
            : listener.Address.Address;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(ConnectMax);
            using var client = new TcpClient(listener.Address.AddressFamily);
            await client.ConnectAsync(address, listener.Address.Port, limit.Token);
            return new($"listener {listener.Address}", "ok", "takes connections");
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            return new($"listener {listener.Address}", "failed", exception.Message);
        }
    }

    private static async Task CheckDirectoriesAsync(ServerOptions options, List<Finding> findings, CancellationToken cancel)
    {
        foreach (var entry in options.Directories)
        {
            if (DirectorySet.NewTryable(entry, TimeProvider.System) is { } directory)
            {
                var steps = await directory.TryAsync(cancel);
                await DirectorySet.CloseAsync(directory);
                findings.AddRange(steps.Select(step => new Finding($"directory {entry.Name}, {step.What}", step.Outcome, step.Detail)));
            }
        }
    }

    private static async Task CheckRoutesAsync(ServerOptions options, List<Finding> findings, CancellationToken cancel)
    {
        foreach (var route in options.Routes)
        {
            if (route.Capture is { } maildir)
            {
                findings.Add(new($"route {string.Join(", ", route.Recipients)}", "warning", $"mail is kept in {maildir} and goes nowhere"));
            }

            foreach (var host in route.Smarthosts)
            {
                findings.Add(await CheckHostAsync(options, route, host, cancel));
            }
        }
    }

    private static async Task<Finding> CheckHostAsync(ServerOptions options, RouteOptions route, SmarthostAddress host, CancellationToken cancel)
    {
        var name = $"smarthost {host}";
        try
        {
            var answer = TimeSpan.FromSeconds(30);
            var patient = options.Timeouts with { RelayConnect = ConnectMax, RelayGreeting = answer, RelayCommand = answer };
            await using var connection = await RelayConnection.OpenAsync(host, route, options.Hostname, patient, TimeProvider.System, cancel);
            var tls = connection.Tls.Length > 0 ? connection.Tls : "no TLS";
            var login = connection.Mechanism.Length > 0 ? $", logged in by {connection.Mechanism}" : "";
            return new(name, connection.Tls.Length > 0 ? "ok" : "warning", $"answers; {tls}{login}");
        }
        catch (HostException exception)
        {
            return new(name, "failed", exception.Reply.ToString());
        }
    }
}
