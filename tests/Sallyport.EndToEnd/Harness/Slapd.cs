using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Sallyport.EndToEnd.Harness;

/// <summary>A real slapd with a tree of its own, on free ports of loopback, plain (with StartTLS) and TLS.</summary>
internal sealed partial class Slapd : IAsyncDisposable
{
    private readonly string _program;
    private readonly string[] _inside;
    private readonly List<string> _stats = [];
    private Process _process = null!;

    private Slapd(string program, string[] inside) => (_program, _inside) = (program, inside);

    public int Port { get; } = Peers.FreePort();

    public int TlsPort { get; } = Peers.FreePort();

    public string Url => $"ldap://127.0.0.1:{Port}";

    public string TlsUrl => $"ldaps://127.0.0.1:{TlsPort}";

    /// <param name="tree">The database part of slapd.conf, without its directory.</param>
    /// <param name="inside">Prefix that runs a program in another network namespace.</param>
    public static async Task<Slapd> StartAsync(
        TestFolder folder, Certificates certificates, string name, string tree, string ldif, string[]? inside = null)
    {
        var slapd = new Slapd(Peers.Require("slapd"), inside ?? []);
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

    /// <summary>The names whose password was wrong, as slapd itself says (result 49), once for each time.</summary>
    public IReadOnlyList<string> WrongPasswords()
    {
        var bound = new Dictionary<string, string>();
        var wrong = new List<string>();
        lock (_stats)
        {
            foreach (var match in _stats.Select(line => Statistic().Match(line)).Where(match => match.Success))
            {
                var operation = match.Groups["operation"].Value;
                if (match.Groups["name"].Success)
                {
                    bound[operation] = match.Groups["name"].Value;
                }
                else if (bound.Remove(operation, out var name))
                {
                    wrong.Add(name);
                }
            }
        }

        return wrong;
    }

    public async Task RunAsync()
    {
        _process = Process.Start(Tool.Start([.. _inside, _program, "-f", ConfigFile, "-h", $"{Url}/ {TlsUrl}/", "-d", "stats"]))!;
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        var asked = 0;
        while ((await Tool.RunAsync([.. _inside, Peers.Require("ldapwhoami"), "-x", "-H", Url])).ExitCode != 0)
        {
            if (_process.HasExited || ++asked > 500)
            {
                throw new InvalidOperationException("slapd does not answer: " + string.Join('\n', _stats));
            }
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

    private void Keep(string? line)
    {
        lock (_stats)
        {
            _stats.Add(line ?? "");
        }
    }

    [GeneratedRegex("""(?<operation>conn=\d+ op=\d+) (BIND dn="(?<name>[^"]*)" method=|RESULT tag=97 err=49)""")]
    private static partial Regex Statistic();
}
