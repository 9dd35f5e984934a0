using System.Diagnostics;
using System.Text;

namespace Sallyport.EndToEnd.Harness;

/// <summary>A real Postfix of its own: queue, configuration and log in the test's folder, everything delivered into one Maildir.</summary>
internal sealed class PostfixServer : IAsyncDisposable
{
    private readonly TestFolder _folder;
    private readonly string[] _inside;

    private PostfixServer(TestFolder folder, string[] inside)
    {
        _folder = folder;
        _inside = inside;
    }

    public int Port { get; } = Peers.FreePort();

    /// <summary>For a second smtpd with settings of its own.</summary>
    public int SecondPort { get; } = Peers.FreePort();

    public string AuthSocket => _folder.Of("postfix/spool/private/auth");

    public string Maildir => _folder.Of("postfix/mail/box");

    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    private string LogFile => _folder.Of("postfix/log");

    /// <param name="settings">main.cf beyond the base.</param>
    /// <param name="second">Options of the second smtpd in master.cf; null for none.</param>
    /// <param name="inside">Prefix that runs a program in another network namespace.</param>
    public static async Task<PostfixServer> StartAsync(
        TestFolder folder, string settings, string? first = null, string? second = null, string[]? inside = null)
    {
        Peers.RequireRoot();
        var postfix = Peers.Require("postfix");
        var server = new PostfixServer(folder, inside ?? []);
        foreach (var name in (string[])["etc", "spool", "lib", "mail"])
        {
            Directory.CreateDirectory(folder.Of("postfix/" + name));
        }

        foreach (var (owner, name) in ((string, string)[])[("postfix", "lib"), ("nobody", "mail")])
        {
            using var chown = Process.Start("chown", [owner, folder.Of("postfix/" + name)]);
            await chown.WaitForExitAsync();
        }

        folder.Write("postfix/etc/main.cf", server.Main(settings));
        folder.Write("postfix/etc/master.cf", server.Master(first, second));
        var started = await Tool.RunAsync([.. server._inside, postfix, "-c", folder.Of("postfix/etc"), "start"]);
        if (started.ExitCode != 0)
        {
            throw new InvalidOperationException("postfix did not start: " + started.All + server.Log);
        }

        await Tool.UntilAsync(() => server.Log.Contains("daemon started", StringComparison.Ordinal), "postfix started: " + server.Log);
        return server;
    }

    /// <summary>The files of the messages delivered.</summary>
    public string[] Delivered() => Directory.Exists(Path.Combine(Maildir, "new")) ? Directory.GetFiles(Path.Combine(Maildir, "new")) : [];

    public async Task<string> DeliveredContainingAsync(string token, Func<string> trouble)
    {
        string? found = null;
        await Tool.UntilAsync(
            () => (found = Delivered().FirstOrDefault(file => Head(file).Contains(token, StringComparison.Ordinal))) is not null,
            $"Postfix delivers {token}", TimeSpan.FromSeconds(60), () => Log + trouble());
        return found!;
    }

    public async ValueTask DisposeAsync() =>
        await Tool.RunAsync([.. _inside, Peers.Require("postfix"), "-c", _folder.Of("postfix/etc"), "stop"]);

    private static string Head(string file)
    {
        using var stream = File.OpenRead(file);
        var head = new byte[8192];
        return Encoding.UTF8.GetString(head, 0, stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false));
    }

    private string Main(string settings) => $"""
        compatibility_level = 3.6
        queue_directory = {_folder.Of("postfix/spool")}
        data_directory = {_folder.Of("postfix/lib")}
        command_directory = /usr/sbin
        daemon_directory = /usr/lib/postfix/sbin
        mail_owner = postfix
        setgid_group = postdrop
        maillog_file = {LogFile}
        maillog_file_prefixes = {_folder.Path}
        myhostname = inner.test
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4
        mynetworks = 127.0.0.1/32
        mydestination =
        alias_maps =
        local_recipient_maps =
        virtual_mailbox_domains = example.test, acme.test
        virtual_mailbox_base = {_folder.Of("postfix/mail")}
        virtual_mailbox_maps = static:box/
        virtual_uid_maps = static:65534
        virtual_gid_maps = static:65534
        virtual_mailbox_limit = 0
        message_size_limit = 60000000
        smtpd_sasl_type = dovecot
        smtpd_sasl_path = private/auth
        {settings}
        """;

    private string Master(string? first, string? second) => $"""
        127.0.0.1:{Port} inet n - n - 100 smtpd {first}
        {(second is null ? "" : $"127.0.0.1:{SecondPort} inet n - n - 100 smtpd {second}")}
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        tlsmgr unix - - n 1000? 1 tlsmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        proxymap unix - - n - - proxymap
        smtp unix - - n - - smtp
        showq unix n - n - - showq
        error unix - - n - - error
        retry unix - - n - - error
        virtual unix - n n - - virtual
        anvil unix - - n - 1 anvil
        postlog unix-dgram n - n - 1 postlogd

        """;
}
