using System.Diagnostics;

namespace Sallyport.EndToEnd.Harness;

/// <summary>A real slapd with a tree of its own, on free ports of loopback, plain (with StartTLS) and TLS.</summary>
internal sealed class Slapd : IAsyncDisposable
{
    private readonly string _program;
    private Process _process = null!;

    private Slapd(string program) => _program = program;

    public int Port { get; } = Peers.FreePort();

    public int TlsPort { get; } = Peers.FreePort();

    public string Url => $"ldap://127.0.0.1:{Port}";

    public string TlsUrl => $"ldaps://127.0.0.1:{TlsPort}";

    /// <param name="tree">The database part of slapd.conf, without its directory.</param>
    public static async Task<Slapd> StartAsync(TestFolder folder, Certificates certificates, string name, string tree, string ldif)
    {
        var slapd = new Slapd(Peers.Require("slapd"));
        var (certificate, key) = certificates.Issue($"{name}.ldap.test");
        Directory.CreateDirectory(folder.Of($"{name}/db"));
        slapd.ConfigFile = folder.Write($"{name}/slapd.conf", $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/nis.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            moduleload ppolicy
            pidfile {folder.Of($"{name}/pid")}
            TLSCACertificateFile {certificates.CaFile}
            TLSCertificateFile {certificate}
            TLSCertificateKeyFile {key}
            {tree.Replace("@DB@", folder.Of($"{name}/db"))}
            """);
        var added = await Tool.RunAsync(
            Peers.Require("slapadd"), ["-f", slapd.ConfigFile, "-l", folder.Write($"{name}/tree.ldif", ldif)]);
        if (added.ExitCode != 0)
        {
            throw new InvalidOperationException("slapadd failed: " + added.All);
        }

        await slapd.RunAsync();
        return slapd;
    }

    public string ConfigFile { get; private set; } = "";

    public async Task RunAsync()
    {
        _process = Process.Start(new ProcessStartInfo(
            _program, ["-f", ConfigFile, "-h", $"{Url}/ {TlsUrl}/", "-d", "0"]) { UseShellExecute = false })!;
        await Tool.UntilAsync(() => _process.HasExited || (Peers.Listens(Port) && Peers.Listens(TlsPort)), "slapd listens");
        if (_process.HasExited)
        {
            throw new InvalidOperationException("slapd ended");
        }
    }

    public async Task StopAsync()
    {
        if (_process.HasExited)
        {
            return;
        }

        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>STOP leaves it connected and mute; CONT wakes it.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, _process.Id.ToString()]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }
}
