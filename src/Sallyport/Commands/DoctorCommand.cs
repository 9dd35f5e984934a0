using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;

namespace Sallyport.Commands;

/// <summary>doctor: looks at everything mail depends on, and says what is wrong and what to do.</summary>
internal static class DoctorCommand
{
    private static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        var command = new Command("doctor", "Look at certificate, log, store, accounts, directories, listeners and next hops, and say what is wrong.")
        {
            config, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            if (CommandContext.Load(parsed.GetValue(config)!, warn: true) is not { } options)
            {
                return Exit.Usage;
            }

            List<Finding> findings = [];
            findings.AddRange(FileChecks.User(options), FileChecks.Certificate(options), FileChecks.Log(options));
            await CheckServerAsync(options, findings, cancel);
            await DirectoryCheckup.CheckAsync(options, findings, cancel);
            await RouteChecks.RunAsync(options, findings, cancel);
            findings.RemoveAll(finding => finding == FileChecks.Nothing);
            var done = findings.TrueForAll(finding => finding.Outcome != "failed");
            return parsed.GetValue(json) ? Terminal.Json([.. findings], CommandJson.Readable.FindingArray, done) : Show(findings, done);
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

    private static void AddRange(this List<Finding> findings, params ReadOnlySpan<Finding> more)
    {
        foreach (var finding in more)
        {
            findings.Add(finding);
        }
    }

    private static async Task CheckServerAsync(ServerOptions options, List<Finding> findings, CancellationToken cancel)
    {
        try
        {
            await using var admin = await AdminDoor.OpenAsync(options, TimeProvider.System, cancel);
            var status = await admin.CallAsync(StatusOperations.Show, EmptyRequest.Instance, cancel);
            findings.Add(new("store", status.Store == "accepting" ? "ok" : "failed",
                $"{status.Store}; {status.Messages} messages, {status.Due} recipients due, {status.Held} held"));
            findings.Add(Accounts(options, await admin.CallAsync(UserOperations.List, EmptyRequest.Instance, cancel)));
            findings.Add(status.Running
                ? new("server", "ok", $"{status.Version}, runs since {status.StartedAt:u}, {status.Connections} connections")
                : new("server", "warning", "does not run"));
            var directories = await admin.CallAsync(StatusOperations.TryDirectories, EmptyRequest.Instance, cancel);
            findings.AddRange(directories.Steps.Select(step => new Finding(step.Rule, step.Outcome, step.Because)));
            if (status.OnlyLoopback && options.Breaker.Enabled && options.Breaker.IsTrusted(IPAddress.Loopback)
                && options.Listeners.Any(listener => !IPAddress.IsLoopback(listener.Address.Address)))
            {
                findings.Add(new("breaker", "warning", "every login so far came from this machine itself, which the breaker trusts: if a proxy "
                    + "stands before the listeners and hides its clients, no stolen account is stopped; set trusted_networks = [] in [breaker]"));
            }

            foreach (var listener in status.Running ? options.Listeners : [])
            {
                findings.Add(await CheckListenerAsync(listener, cancel));
            }

            if (status.Running)
            {
                findings.Add(status.ConnectionsMax < options.Limits.Connections
                    ? new("file limit", "warning", $"has room for {status.ConnectionsMax} connections at once, and limits.connections is "
                        + $"{options.Limits.Connections}: raise LimitNOFILE= in the unit (ulimit -n) and restart, or lower limits.connections")
                    : new("file limit", "ok", $"has room for {status.ConnectionsMax} connections at once"));
            }
        }
        catch (Exception exception) when (exception is StartException or HttpRequestException)
        {
            findings.Add(new("store", "failed", exception.Message));
        }
    }

    private static Finding Accounts(ServerOptions options, UserView[] users)
    {
        var others = options.Directories.Where(directory => directory is not LocalDirectoryOptions).Select(directory => directory.Name).ToList();
        var silent = users.Count(user => user.Addresses.Length == 0);
        var local = $"{users.Length} local account{(users.Length == 1 ? "" : "s")}, {users.Count(user => user.Disabled)} disabled"
            + (silent > 0 ? $", {silent} with no address of its own to send as" : "");
        return others.Count > 0 ? new("accounts", "ok", $"{local}; directories: {string.Join(", ", others)}")
            : users.All(user => user.Disabled)
                ? new("accounts", "warning", $"{local} and no other directory: nobody can send; `sallyport user add LOGIN` makes an account")
                : new("accounts", "ok", local);
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
        catch (SocketException exception)
        {
            return new($"listener {listener.Address}", "failed", exception.Message);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new($"listener {listener.Address}", "failed", $"no answer within {ConnectMax.TotalSeconds} s");
        }
    }
}
