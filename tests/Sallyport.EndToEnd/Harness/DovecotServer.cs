using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Sallyport.EndToEnd.Harness;

/// <summary>Dovecot with IMAP, POP3 and its auth sockets on free ports of loopback, in a process group of its own.</summary>
internal sealed class DovecotServer : IAsyncDisposable
{
    /// <summary>What real passwords are made of.</summary>
    public static readonly IReadOnlyDictionary<string, string> Passwords = new Dictionary<string, string>
    {
        ["anna@acme.test"] = "correct horse Battery 9",
        ["bertil@acme.test"] = "smörgås på bordet ☕",
        ["carl@acme.test"] = "quote\" back\\slash {5} and } brace",
        ["dora"] = " spaces at both ends ",
    };

    private readonly TestFolder _folder;
    private readonly Certificates _certificates;
    private readonly string _name;
    private Process? _process;

    private DovecotServer(TestFolder folder, Certificates certificates, string name) =>
        (_folder, _certificates, _name) = (folder, certificates, name);

    public int ImapPort { get; } = Peers.FreePort();

    public int ImapsPort { get; } = Peers.FreePort();

    public int Pop3Port { get; } = Peers.FreePort();

    public int Pop3sPort { get; } = Peers.FreePort();

    public int AuthPort { get; } = Peers.FreePort();

    public string Socket => Of("auth-sallyport");

    public string UserSocket => Of("auth-sallyport-userdb");

    public string Log => File.Exists(Of("log")) ? File.ReadAllText(Of("log")) : "";

    public static async Task<DovecotServer> StartAsync(
        TestFolder folder, Certificates certificates, string name = "dovecot", string more = "", string mechanisms = "plain login scram-sha-256",
        string fields = "")
    {
        Peers.RequireRoot();
        Peers.Require("dovecot");
        var server = new DovecotServer(folder, certificates, name);
        server.Configure(mechanisms, more, fields);
        await server.RunAsync();
        return server;
    }

    /// <summary>The [[directory]] entry for one of the ways to ask it; each login is asked.</summary>
    public string Directory(string way, string more = "") => $"""
        [[directory]]
        {way switch
    {
        "imaps" => $"type = \"imap\"\nurl = \"imaps://localhost:{ImapsPort}\"\ntls_ca = \"{_certificates.CaFile}\"",
        "imap" => $"type = \"imap\"\nurl = \"imap://localhost:{ImapPort}\"\ntls_ca = \"{_certificates.CaFile}\"",
        "pop3s" => $"type = \"pop3\"\nurl = \"pop3s://localhost:{Pop3sPort}\"\ntls_ca = \"{_certificates.CaFile}\"",
        "pop3" => $"type = \"pop3\"\nurl = \"pop3://localhost:{Pop3Port}\"\ntls_ca = \"{_certificates.CaFile}\"",
        "unix" => $"type = \"dovecot\"\nsocket = \"{Socket}\"",
        "tcp" => $"type = \"dovecot\"\nsocket = \"tcp://127.0.0.1:{AuthPort}\"",
        _ => throw new ArgumentException(way),
    }}
        domain = "acme.test"
        login_cache = "0s"
        {more}
        """;

    public async Task RunAsync()
    {
        _process = Process.Start(Tool.Start(["setsid", Peers.Require("dovecot"), "-F", "-c", Of("dovecot.conf")]))!;
        await Tool.UntilAsync(
            () => _process.HasExited || (Peers.Listens(ImapsPort) && Peers.Listens(AuthPort) && File.Exists(Socket)), "dovecot listens",
            trouble: () => Log);
        if (_process.HasExited)
        {
            throw new InvalidOperationException($"dovecot ended: {await _process.StandardError.ReadToEndAsync()} {Log}");
        }
    }

    public async Task StopAsync()
    {
        await SignalAsync("CONT");
        await SignalAsync("TERM");
        await Tool.EndAsync(_process!);
        _process!.Dispose();
        _process = null;
    }

    /// <summary>To every process of it: STOP makes it a server that hangs.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, "--", "-" + _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await StopAsync();
        }
    }

    private string Of(string file) => _folder.Of($"{_name}/{file}");

    /// <param name="fields">What the userdb says besides.</param>
    private void Configure(string mechanisms, string more, string fields)
    {
        var (certificate, key) = _certificates.Issue("localhost");
        System.IO.Directory.CreateDirectory(Of("run"));
        var users = string.Join("\n", Passwords.Select(user => $"  [{Quoted(user.Key)}] = {Quoted(user.Value)},"));
        _folder.Write($"{_name}/users.lua", $$"""
            local users = {
            {{users}}
            }
            function auth_passdb_lookup(req)
              if req.user:match("^disabled") then return dovecot.auth.PASSDB_RESULT_USER_DISABLED, "disabled" end
              if req.user:match("^expired") then return dovecot.auth.PASSDB_RESULT_PASS_EXPIRED, "expired" end
              if req.user:match("^trouble") then return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "database away" end
              if req.user:match("^nologin") then return dovecot.auth.PASSDB_RESULT_OK, { password = "{PLAIN}secret", nologin = "y" } end
              if req.user:match("^proxied") then
                return dovecot.auth.PASSDB_RESULT_OK, { nopassword = "y", proxy = "y", host = "127.0.0.1" }
              end
              if req.user:match("^load") then return dovecot.auth.PASSDB_RESULT_OK, { password = "{PLAIN}secret" } end
              local password = users[req.user]
              if password == nil then return dovecot.auth.PASSDB_RESULT_USER_UNKNOWN, "unknown" end
              return dovecot.auth.PASSDB_RESULT_OK, { password = "{PLAIN}" .. password }
            end
            function script_init() return 0 end
            function script_deinit() end
            """);
        _folder.Write($"{_name}/dovecot.conf", $$"""
            base_dir = {{Of("run")}}
            log_path = {{Of("log")}}
            auth_verbose = yes
            protocols = imap pop3
            ssl = yes
            ssl_cert = <{{certificate}}
            ssl_key = <{{key}}
            mail_location = maildir:{{Of("mail")}}/%u
            mail_max_userip_connections = 1000
            auth_mechanisms = {{mechanisms}}
            auth_failure_delay = 1 secs
            login_trusted_networks = 127.0.0.0/8
            service anvil {
              unix_listener anvil-auth-penalty {
                mode = 0
              }
            }
            passdb {
              driver = lua
              args = file={{Of("users.lua")}} blocking=no
            }
            userdb {
              driver = static
              args = uid=65534 gid=65534 home={{Of("mail")}}/%u {{fields}}
            }
            first_valid_uid = 1000
            service imap-login {
              inet_listener imap {
                address = 127.0.0.1
                port = {{ImapPort}}
              }
              inet_listener imaps {
                address = 127.0.0.1
                port = {{ImapsPort}}
                ssl = yes
              }
            }
            service pop3-login {
              inet_listener pop3 {
                address = 127.0.0.1
                port = {{Pop3Port}}
              }
              inet_listener pop3s {
                address = 127.0.0.1
                port = {{Pop3sPort}}
                ssl = yes
              }
            }
            service auth {
              unix_listener {{Socket}} {
                mode = 0666
              }
              unix_listener {{UserSocket}} {
                mode = 0600
              }
              inet_listener {
                address = 127.0.0.1
                port = {{AuthPort}}
              }
            }
            {{more}}
            """);
        System.IO.Directory.CreateDirectory(Of("mail"));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Of("mail"), (UnixFileMode)0b111_111_111);
        }
    }

    /// <summary>A Lua string, octet by octet.</summary>
    private static string Quoted(string text) => $"\"{string.Concat(Encoding.UTF8.GetBytes(text).Select(octet => $"\\{octet:000}"))}\"";
}
