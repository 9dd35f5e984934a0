using Xunit;

namespace Sallyport.EndToEnd.Harness;

/// <summary>A network of its own with nothing in it but loopback; what is in /etc/netns/NAME when a program starts there is its /etc.</summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    public string Name { get; } = "sallyport-" + Guid.NewGuid().ToString("N")[..8];

    /// <summary>Prefix that runs a program inside.</summary>
    public string[] Inside => [Peers.Require("ip"), "netns", "exec", Name];

    /// <param name="addresses">Further addresses of loopback: who connects to one of them comes from it.</param>
    public static async Task<NetworkNamespace> CreateAsync(params string[] addresses)
    {
        Peers.RequireRoot();
        var network = new NetworkNamespace();
        await RunAsync([Peers.Require("ip"), "netns", "add", network.Name]);
        await RunAsync([.. network.Inside, Peers.Require("ip"), "link", "set", "lo", "up"]);
        foreach (var address in addresses)
        {
            await RunAsync([.. network.Inside, Peers.Require("ip"), "address", "add", address + "/32", "dev", "lo"]);
        }

        return network;
    }

    public async ValueTask DisposeAsync() => await RunAsync([Peers.Require("ip"), "netns", "delete", Name]);

    private static async Task RunAsync(string[] command)
    {
        var result = await Tool.RunAsync(command);
        Assert.True(result.ExitCode == 0, string.Join(' ', command) + ": " + result.All);
    }
}
