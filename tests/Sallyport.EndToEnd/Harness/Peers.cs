using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Sallyport.EndToEnd.Harness;

/// <summary>Finds what a test needs. Under CI a missing peer is a failure, elsewhere the test is skipped by name.</summary>
internal static class Peers
{
    public static string Require(string program)
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/sbin"];
        var found = folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        if (found is null)
        {
            Missing($"{program} is not installed; ./test.sh as root on Debian installs it");
        }

        return found!;
    }

    public static string RequireNodeModule(string name)
    {
        var node = Require("node");
        var folders = (Environment.GetEnvironmentVariable("NODE_PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        if (!folders.Any(folder => Directory.Exists(Path.Combine(folder, name))))
        {
            Missing($"the npm package {name} is not in NODE_PATH; ./test.sh installs it");
        }

        return node;
    }

    /// <summary>Some peers drop their rights to a user of their own and can only do so as root.</summary>
    public static void RequireRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Missing("this test starts a mail server of its own, which needs root");
        }
    }

    /// <summary>The published native binary.</summary>
    public static string Binary()
    {
        var path = Environment.GetEnvironmentVariable("SALLYPORT_BINARY")
            ?? Path.Combine(RepositoryRoot(), "artifacts", "native", "sallyport");
        if (!File.Exists(path))
        {
            Missing($"{path} is not there; ./test.sh publishes it");
        }

        return path;
    }

    public static string RepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Sallyport.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Sallyport.slnx was not found");
        }

        return folder;
    }

    /// <summary>A port nobody listens on now. Handed out once per run, so that two tests never get the same.</summary>
    public static int FreePort()
    {
        while (true)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            var port = ((IPEndPoint)probe.LocalEndpoint).Port;
            lock (Given)
            {
                if (Given.Add(port))
                {
                    return port;
                }
            }
        }
    }

    public static bool Listens(int port, string address = "127.0.0.1")
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Parse(address), port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static readonly HashSet<int> Given = [];

    private static void Missing(string what)
    {
        if (Environment.GetEnvironmentVariable("CI") is "true" or "1")
        {
            Assert.Fail(what);
        }

        Assert.Skip(what);
    }
}
