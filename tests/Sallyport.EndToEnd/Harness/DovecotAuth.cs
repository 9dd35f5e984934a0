using System.Diagnostics;

namespace Sallyport.EndToEnd.Harness;

/// <summary>Dovecot as nothing but a source of logins for Postfix, on a socket in its queue directory.</summary>
internal sealed class DovecotAuth : IAsyncDisposable
{
    private readonly Process _process;

    private DovecotAuth(Process process) => _process = process;

    public static async Task<DovecotAuth> StartAsync(TestFolder folder, string socket, string login, string password, string[]? inside = null)
    {
        var dovecot = Peers.Require("dovecot");
        folder.Write("dovecot/users", $"{login}:{{PLAIN}}{password}\n");
        var config = folder.Write("dovecot/dovecot.conf", $$"""
            base_dir = {{folder.Of("dovecot/run")}}
            log_path = {{folder.Of("dovecot/log")}}
            protocols =
            ssl = no
            auth_mechanisms = plain login scram-sha-256
            passdb {
              driver = passwd-file
              args = {{folder.Of("dovecot/users")}}
            }
            userdb {
              driver = static
              args = uid=65534 gid=65534 home=/nonexistent
            }
            service auth {
              unix_listener {{socket}} {
                mode = 0666
              }
            }
            """);
        Directory.CreateDirectory(folder.Of("dovecot/run"));
        var process = Process.Start(Tool.Start([.. inside ?? [], dovecot, "-F", "-c", config]))!;
        await Tool.UntilAsync(() => File.Exists(socket) || process.HasExited, "dovecot's auth socket");
        return new DovecotAuth(process);
    }

    public async ValueTask DisposeAsync()
    {
        using (var term = Process.Start("kill", ["-TERM", _process.Id.ToString()]))
        {
            await term.WaitForExitAsync();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
