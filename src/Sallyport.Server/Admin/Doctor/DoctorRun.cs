using System.Net;
using System.Runtime.CompilerServices;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Admin.Doctor;

/// <summary>One look at everything mail depends on: finding after finding, as they are made.</summary>
/// <param name="options">The configuration that is looked at.</param>
/// <param name="door">The server or the open store; null where neither can be had.</param>
/// <param name="noDoor">Why it cannot be had.</param>
internal sealed class DoctorRun(ServerOptions options, IAdmin? door, string noDoor, TimeProvider time)
{
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var finding in FileChecks.Run(options, time))
        {
            yield return finding;
        }

        if (door is null)
        {
            yield return Finding.Error("store.unavailable", "store", noDoor);
        }
        else
        {
            await foreach (var finding in AskAsync(door, cancel))
            {
                yield return finding;
            }
        }

        await foreach (var finding in DirectoryChecks.RunAsync(options, time, cancel))
        {
            yield return finding;
        }

        await foreach (var finding in RouteChecks.RunAsync(options, time, cancel))
        {
            yield return finding;
        }
    }

    private async IAsyncEnumerable<Finding> AskAsync(IAdmin open, [EnumeratorCancellation] CancellationToken cancel)
    {
        var status = await open.CallAsync(StatusOperations.Show, EmptyRequest.Instance, cancel);
        yield return ServerChecks.Store(status);
        yield return ServerChecks.Accounts(options, await open.ListAsync(UserOperations.List, ListRequest.All, cancel));
        yield return ServerChecks.Server(status);
        var directories = await open.CallAsync(LoginTrialOperations.TryDirectories, EmptyRequest.Instance, cancel);
        foreach (var step in directories.Steps)
        {
            yield return ServerChecks.Directory(step);
        }

        if (status.OnlyLoopback && options.Breaker.Enabled && options.Breaker.IsTrusted(IPAddress.Loopback)
            && options.Listeners.Any(listener => !IPAddress.IsLoopback(listener.Address.Address)))
        {
            yield return Finding.Warning("breaker.only_loopback", "breaker", "every login so far came from this machine itself, which the "
                + "breaker trusts: if a proxy stands before the listeners and hides its clients, no stolen account is stopped; "
                + "set trusted_networks = [] in [breaker]");
        }

        foreach (var listener in status.Running ? options.Listeners : [])
        {
            yield return await ServerChecks.ListenerAsync(listener, time, cancel);
        }

        if (status.Running)
        {
            yield return ServerChecks.FileLimit(status, options.Limits.Connections);
        }
    }
}
