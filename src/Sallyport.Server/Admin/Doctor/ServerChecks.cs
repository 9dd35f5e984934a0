using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Admin.Doctor;

/// <summary>What doctor finds at the server itself.</summary>
internal static class ServerChecks
{
    private static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(5);

    public static Finding Store(ServerStatus status)
    {
        var detail = $"{status.Store}; {status.Messages} messages, {status.Due} recipients due, {status.Held} held";
        return (status.Store == "accepting" ? Finding.Ok("store.accepting", "store", detail) : Finding.Error("store.refusing", "store", detail))
            .With("health", status.Store).With("messages", Number(status.Messages));
    }

    public static Finding Server(ServerStatus status) => status.Running
        ? Finding.Ok("server.running", "server", $"{status.Version}, running since {status.StartedAt:u}, {status.Connections} connections")
            .With("version", status.Version).With("started_at", status.StartedAt?.ToString("u", CultureInfo.InvariantCulture))
        : Finding.Warning("server.not_running", "server", "not running");

    public static Finding Accounts(ServerOptions options, UserView[] users)
    {
        var others = options.Directories.Where(directory => directory is not LocalDirectoryOptions).Select(directory => directory.Name).ToList();
        var silent = users.Count(user => user.Addresses.Length == 0);
        var disabled = users.Count(user => user.Disabled);
        var local = $"{users.Length} local account{(users.Length == 1 ? "" : "s")}, {disabled} disabled"
            + (silent > 0 ? $", {silent} without an address to send from" : "");
        var finding = others.Count > 0 ? Finding.Ok("accounts.ok", "accounts", $"{local}; directories: {string.Join(", ", others)}")
            : users.Length == 0 ? Finding.Warning("accounts.none", "accounts", "no accounts yet: nobody can log in")
            : disabled == users.Length ? Finding.Warning("accounts.all_disabled", "accounts", $"{local}: nobody can log in")
            : Finding.Ok("accounts.ok", "accounts", local);
        return finding.With("local", Number(users.Length)).With("disabled", Number(disabled));
    }

    public static Finding Directory(ExplainedStep step) => (step.Outcome switch
    {
        "ok" => Finding.Ok("directory.ok", step.Rule, step.Because),
        "failed" => Finding.Error("directory.failed", step.Rule, step.Because),
        _ => new Finding(step.Rule, step.Outcome, step.Because) { Code = "directory.warning" },
    }).With("directory", step.Rule);

    public static Finding FileLimit(ServerStatus status, int connections) => (status.ConnectionsMax < connections
        ? Finding.Warning("file_limit.low", "file limit", $"has room for {status.ConnectionsMax} connections at once, and limits.connections is "
            + $"{connections}: raise LimitNOFILE= in the unit (ulimit -n) and restart, or lower limits.connections")
        : Finding.Ok("file_limit.ok", "file limit", $"has room for {status.ConnectionsMax} connections at once"))
        .With("connections_max", Number(status.ConnectionsMax));

    public static async Task<Finding> ListenerAsync(ListenerOptions listener, TimeProvider time, CancellationToken cancel)
    {
        var check = $"listener {listener.Address}";
        try
        {
            using var timer = new CancellationTokenSource(ConnectMax, time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
            using var client = new TcpClient(listener.Address.AddressFamily);
            await client.ConnectAsync(Reachable(listener.Address.Address), listener.Address.Port, limit.Token);
            return Finding.Ok("listener.ok", check, "takes connections").With("address", listener.Address.ToString());
        }
        catch (SocketException exception)
        {
            return Finding.Error("listener.unreachable", check, exception.Message).With("address", listener.Address.ToString());
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Finding.Error("listener.no_answer", check, $"no answer within {ConnectMax.TotalSeconds} s")
                .With("address", listener.Address.ToString());
        }
    }

    /// <summary>An address to connect to where a listener takes any.</summary>
    private static IPAddress Reachable(IPAddress address) => address.Equals(IPAddress.Any) ? IPAddress.Loopback
        : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;

    private static string Number(long n) => n.ToString(CultureInfo.InvariantCulture);
}
