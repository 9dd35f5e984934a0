using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Server.Telemetry;

namespace Sallyport.Commands;

/// <summary>quickstart: a working server on loopback in one command, and the line that sends mail through it.</summary>
internal static class QuickstartCommand
{
    private const string Login = "demo@example.test";
    private const string Mark = "# Made by `sallyport quickstart`";
    private const int PortMin = 1025;
    private const int PortMax = 65535;

    public static Command Create()
    {
        var data = new Option<string?>("--data")
        {
            Description = "Directory for everything; a new one below the temporary directory by default",
            HelpName = "DIR",
        };
        var port = UsageErrors.Number("--port", "Port for STARTTLS; another is taken when it is in use", 1587, PortMin, PortMax);
        var tlsPort = UsageErrors.Number("--tls-port", "Port for implicit TLS; another is taken when it is in use", 1465, PortMin, PortMax);
        var command = new Command("quickstart", "A working server on loopback with a demo user; mail is captured in a Maildir instead of relayed.")
        {
            data, port, tlsPort,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(port) == parsed.GetValue(tlsPort))
            {
                return Terminal.Fail($"--port and --tls-port are both {parsed.GetValue(port)}: each needs its own", Exit.Usage);
            }

            if (parsed.GetValue(data) is "")
            {
                return Terminal.Fail("--data names no directory", Exit.Usage);
            }

            var directory = parsed.GetValue(data)
                ?? Path.Combine(Path.GetTempPath(), "sallyport-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)));
            var ports = (StartTls: Free(parsed.GetValue(port)), Implicit: Free(parsed.GetValue(tlsPort)));
            return await RunAsync(Path.GetFullPath(directory), ports, cancel);
        });
        return command;
    }

    private static async Task<int> RunAsync(string directory, (int StartTls, int Implicit) ports, CancellationToken cancel)
    {
        if (!MakeDirectory(directory))
        {
            return Terminal.Fail($"{directory} cannot be made, or others may write in it; choose another with --data", Exit.Usage);
        }

        if (FindForeign(directory) is { } foreign)
        {
            return Terminal.Fail(
                $"{foreign} is not of quickstart's making, and is not overwritten: give quickstart a directory of its own with --data", Exit.Usage);
        }

        var config = Path.Combine(directory, "sallyport.toml");
        await File.WriteAllTextAsync(config, Configuration(directory, ports), cancel);
        MakeCertificate(directory);
        if (CommandContext.Load(config) is not { } options)
        {
            return Exit.Usage;
        }

        var password = Convert.ToBase64String(RandomNumberGenerator.GetBytes(12)).Replace('+', 'a').Replace('/', 'b');
        await SetUserAsync(options, password, cancel);
        return await ServeCommand.RunAsync(config, _ => Task.Run(() => Show(directory, ports, password), cancel), cancel);
    }

    private static void Show(string directory, (int StartTls, int Implicit) ports, string password) => Terminal.Line($"""

        Sallyport takes mail on 127.0.0.1: port {ports.StartTls} with STARTTLS, port {ports.Implicit} with TLS from the start.

            login      {Login}
            password   {password}

        Send a message, from another terminal:

            printf 'From: {Login}\nTo: friend@example.org\nSubject: Hello\n\nHello from Sallyport.\n' | \
              curl --silent --show-error --url smtps://localhost:{ports.Implicit} --cacert {ShellWord.Of(directory + "/certificate.pem")} \
              --user '{Login}:{password}' --mail-from {Login} --mail-rcpt friend@example.org --upload-file -

        or with swaks:

            swaks --server localhost:{ports.StartTls} --tls --auth-user {Login} --auth-password '{password}' \
              --from {Login} --to friend@example.org --header 'Subject: Hello'

        It then lies in   {directory}/capture/new
        Other commands    {ProgramName.Here()} queue list --config {ShellWord.Of(directory + "/sallyport.toml")}
        Ctrl-C ends the server; {directory} stays until you remove it.

        """);

    /// <summary>What is in the directory and somebody else's: the site of an administrator who meant another command.</summary>
    private static string? FindForeign(string directory)
    {
        var config = Path.Combine(directory, "sallyport.toml");
        if (File.Exists(config))
        {
            return File.ReadLines(config).FirstOrDefault()?.StartsWith(Mark, StringComparison.Ordinal) is true ? null : config;
        }

        return Path.Exists(config) ? config
            : ((string[])["certificate.pem", "key.pem", "data"]).Select(name => Path.Combine(directory, name)).FirstOrDefault(Path.Exists);
    }

    private static async Task SetUserAsync(ServerOptions options, string password, CancellationToken cancel)
    {
        await using var admin = await AdminDoor.OpenAsync(options, TimeProvider.System, cancel);
        var verifier = VerifierView.Make(password);
        var added = await admin.CallAsync(UserOperations.Add, new NewUser(Login, verifier, []), cancel);
        if (!added.Done)
        {
            await admin.CallAsync(UserOperations.SetPassword, new NewPassword(Login, verifier), cancel);
        }
    }

    private static bool MakeDirectory(string directory)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
                return true;
            }

            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return (File.GetUnixFileMode(directory) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) == 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    internal static string Configuration(string directory, (int StartTls, int Implicit) ports) => $"""
        {Mark}: a server to try, on loopback, that keeps mail instead of relaying it.
        hostname = "localhost"
        data     = {Toml(directory + "/data")}

        [[listener]]
        address = "127.0.0.1:{ports.StartTls}"
        tls     = "starttls"

        [[listener]]
        address = "127.0.0.1:{ports.Implicit}"
        tls     = "implicit"

        [tls]
        certificate = {Toml(directory + "/certificate.pem")}
        key         = {Toml(directory + "/key.pem")}

        [[route]]
        recipients = ["*"]
        capture    = {Toml(directory + "/capture")}

        [store]
        disk_floor_bytes   = "64MiB"
        disk_floor_percent = 0

        """;

    /// <summary>A text as TOML writes it.</summary>
    private static string Toml(string text) => "\"" + string.Concat(text.Select(c =>
        c is '"' or '\\' ? "\\" + c : char.IsControl(c) ? $"\\u{(int)c:X4}" : c.ToString())) + "\"";

    /// <summary>A throw-away certificate for localhost, good for a month.</summary>
    private static void MakeCertificate(string directory)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(30));
        File.WriteAllText(Path.Combine(directory, "certificate.pem"), certificate.ExportCertificatePem());
        var keyFile = Path.Combine(directory, "key.pem");
        File.Delete(keyFile);
        var forUs = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            forUs.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(keyFile, forUs);
        writer.Write(key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The port, or any free one when it is taken.</summary>
    private static int Free(int port)
    {
        foreach (var candidate in (int[])[port, 0])
        {
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, candidate);
                probe.Start();
                return ((IPEndPoint)probe.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken; the next one.
            }
        }

        return port;
    }
}
