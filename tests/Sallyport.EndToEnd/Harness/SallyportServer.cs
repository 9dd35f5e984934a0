using System.Diagnostics;
using System.Text;

namespace Sallyport.EndToEnd.Harness;

/// <summary>The published binary, serving on free ports of loopback with a certificate from a private CA.</summary>
internal sealed class SallyportServer : IAsyncDisposable
{
    public const string Login = "jane@acme.test";
    public const string Password = "correct horse Battery 9";

    private readonly StringBuilder _log = new();
    private string[] _inside = [];
    private string? _logFile;
    private Process? _process;

    private SallyportServer(TestFolder folder, Certificates certificates)
    {
        Folder = folder;
        Certificates = certificates;
    }

    public TestFolder Folder { get; }

    public Certificates Certificates { get; }

    public int SubmissionPort { get; } = Peers.FreePort();

    public int ImplicitTlsPort { get; } = Peers.FreePort();

    public string ConfigFile => Folder.Of("sallyport.toml");

    public string CaptureMaildir => Folder.Of("capture");

    public int ProcessId => _process!.Id;

    public bool HasExited => _process!.HasExited;

    public string Log
    {
        get
        {
            lock (_log)
            {
                var file = _logFile is null ? null : Folder.Of(_logFile);
                return _log + (File.Exists(file) ? File.ReadAllText(file) : "");
            }
        }
    }

    /// <param name="routes">The [[route]] part of the configuration; null captures everything.</param>
    /// <param name="more">Further tables.</param>
    /// <param name="inside">Prefix that runs a program in another network namespace.</param>
    /// <param name="prepare">Starts what the server depends on, and gives more tables.</param>
    /// <param name="ready">The log file, when it is not standard output.</param>
    /// <param name="tls">Further keys of [tls].</param>
    /// <param name="guard">Keys of [guard]; off where a test does not try it, since all clients come from one address.</param>
    /// <param name="within">A folder that is there already; the server takes it over.</param>
    public static async Task<SallyportServer> StartAsync(
        Func<SallyportServer, string>? routes = null, string more = "", bool rsa = false, string listen = "127.0.0.1", string[]? inside = null,
        string? ready = null, string tls = "", TestFolder? within = null, string guard = "enabled = false",
        Func<SallyportServer, Task<string>>? prepare = null)
    {
        var binary = Peers.Binary();
        var folder = within ?? new TestFolder();
        var server = new SallyportServer(folder, new Certificates(folder)) { _inside = inside ?? [], _logFile = ready };
        var (certificate, key) = server.Certificates.Issue("msa.test", rsa);
        folder.Write("sallyport.toml", $"""
            hostname = "msa.test"
            data = "{folder.Of("data")}"
            [[listener]]
            address = "{listen}:{server.SubmissionPort}"
            tls = "starttls"
            [[listener]]
            address = "{listen}:{server.ImplicitTlsPort}"
            tls = "implicit"
            [tls]
            certificate = "{certificate}"
            key = "{key}"
            {tls}
            [store]
            disk_floor_bytes = 1048576
            disk_floor_percent = 0
            [guard]
            {guard}
            {(routes ?? CaptureAll)(server)}
            {more}
            {(prepare is null ? "" : await prepare(server))}
            """);
        var added = await Tool.RunAsync(binary, ["user", "add", Login, "--config", server.ConfigFile,
            "--address", "jane@example.test", "--address", "jäne@acme.test"], Password + "\n");
        if (added.ExitCode != 0)
        {
            throw new InvalidOperationException("user add failed: " + added.All);
        }

        await server.RunAsync();
        return server;
    }

    /// <summary>Starts the process, also after <see cref="Kill"/>, and waits until it listens.</summary>
    public async Task RunAsync()
    {
        var serving = Log.Length;
        _process = Process.Start(Tool.Start([.. _inside, Peers.Binary(), "serve", "--config", ConfigFile]))!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Tool.UntilAsync(
            () => _process.HasExited || Log[serving..].Contains(" serves msa.test on ", StringComparison.Ordinal), "sallyport listens");
        if (_process.HasExited)
        {
            throw new InvalidOperationException("sallyport ended: " + Log);
        }
    }

    public async Task<ToolResult> CommandAsync(string[] arguments, string? input = null) =>
        await Tool.RunAsync(Peers.Binary(), [.. arguments, "--config", ConfigFile], input);

    /// <summary>Completes when the log has this: a reply can be here before its line is.</summary>
    public Task LoggedAsync(string text) =>
        Tool.UntilAsync(() => Log.Contains(text, StringComparison.Ordinal), $"the log says {text}", null, () => Log);

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, ProcessId.ToString()]);
        await kill.WaitForExitAsync();
    }

    /// <summary>SIGTERM, then waits for the end. Returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync("TERM");
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await _process!.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    /// <summary>The messages in the capture Maildir, complete ones only.</summary>
    public string[] Captured() => Captured(CaptureMaildir);

    public static string[] Captured(string maildir) =>
        Directory.Exists(Path.Combine(maildir, "new")) ? Directory.GetFiles(Path.Combine(maildir, "new")) : [];

    public async Task<string> CapturedContainingAsync(string token)
    {
        string? found = null;
        await Tool.UntilAsync(() => (found = Captured().FirstOrDefault(file => Head(file).Contains(token, StringComparison.Ordinal)))
            is not null, $"a message with {token} in the capture Maildir; log:\n{Log}", TimeSpan.FromSeconds(60));
        return found!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        Folder.Dispose();
    }

    private static string CaptureAll(SallyportServer server) => $"""
        [[route]]
        recipients = ["*"]
        capture = "{server.CaptureMaildir}"
        """;

    private static string Head(string file)
    {
        using var stream = File.OpenRead(file);
        var head = new byte[8192];
        return Encoding.UTF8.GetString(head, 0, stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false));
    }

    private void Keep(string? line)
    {
        lock (_log)
        {
            _log.AppendLine(line);
        }
    }
}
