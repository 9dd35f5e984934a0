using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sallyport.Server;
using Sallyport.Server.Admin;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;

namespace Sallyport.Verbs;

/// <summary>quickstart: a working server on loopback in one command, and the line that sends mail through it.</summary>
internal static class QuickstartVerb
{
    private const string Login = "demo@example.test";

    public static Command Create()
    {
        var data = new Option<string?>("--data")
        {
            Description = "Directory for everything; a new one below the temporary directory by default",
            HelpName = "DIR",
        };
        var port = new Option<int>("--port") { Description = "Port for STARTTLS", DefaultValueFactory = _ => 1587 };
        var tlsPort = new Option<int>("--tls-port") { Description = "Port for implicit TLS", DefaultValueFactory = _ => 1465 };
        var command = new Command("quickstart", "A working server on loopback with a demo user; mail is captured in a Maildir instead of relayed.")
        {
            data, port, tlsPort,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(port) is < 1025 or > 65535 || parsed.GetValue(tlsPort) is < 1025 or > 65535)
            {
                return Terminal.Fail("ports must be from 1025 to 65535", Exit.Usage);
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
            return Terminal.Fail($"{directory} cannot be made, or others may write in it; choose another with --data");
        }

        MakeCertificate(directory);
        var config = Path.Combine(directory, "sallyport.toml");
        await File.WriteAllTextAsync(config, Configuration(directory, ports), cancel);
        var options = ((ConfigurationResult.Loaded)ConfigurationLoader.Load(config)).Options;
        var password = Convert.ToBase64String(RandomNumberGenerator.GetBytes(12)).Replace('+', 'a').Replace('/', 'b');
        await SetUserAsync(options, password, cancel);
        return await ServeVerb.RunAsync(config, _ => Task.Run(() => Show(directory, ports, password), cancel), cancel);
    }

    private static void Show(string directory, (int StartTls, int Implicit) ports, string password) => Terminal.Line($"""

        Sallyport takes mail on 127.0.0.1: port {ports.StartTls} with STARTTLS, port {ports.Implicit} with TLS from the start.

            login      {Login}
            password   {password}

        Send a message, from another terminal:

            printf 'From: {Login}\nTo: friend@example.org\nSubject: Hello\n\nHello from Sallyport.\n' | \
              curl --silent --show-error --url smtps://localhost:{ports.Implicit} --cacert {directory}/certificate.pem \
              --user '{Login}:{password}' --mail-from {Login} --mail-rcpt friend@example.org --upload-file -

        or with swaks:

            swaks --server localhost:{ports.StartTls} --tls --auth-user {Login} --auth-password '{password}' \
              --from {Login} --to friend@example.org --header 'Subject: Hello'

        It then lies in   {directory}/capture/new
        Other commands    sallyport queue list --config {directory}/sallyport.toml
        Ctrl-C ends the server; {directory} stays until you remove it.

        """);

    private static async Task SetUserAsync(ServerOptions options, string password, CancellationToken cancel)
    {
        await using var admin = await AdminDoor.OpenAsync(options, TimeProvider.System, cancel);
        var verifier = VerifierView.Of(PasswordHasher.CreateVerifier(password));
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

    private static string Configuration(string directory, (int StartTls, int Implicit) ports) => $"""
        # Made by `sallyport quickstart`: a server to try, on loopback, that keeps mail instead of relaying it.
        hostname = "localhost"
        data     = "{directory}/data"

        [[listener]]
        address = "127.0.0.1:{ports.StartTls}"
        tls     = "starttls"

        [[listener]]
        address = "127.0.0.1:{ports.Implicit}"
        tls     = "implicit"

        [tls]
        certificate = "{directory}/certificate.pem"
        key         = "{directory}/key.pem"

        [[route]]
        recipients = ["*"]
        capture    = "{directory}/capture"

        [store]
        disk_floor_bytes   = "64MiB"
        disk_floor_percent = 0

        """;

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
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
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
