using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Configuration;

/// <summary>Reads the configuration file: strictly, and with every mistake at once.</summary>
public static class ConfigurationLoader
{
    private const long FileBytesMax = 1024 * 1024;
    private const int SmtpPort = 25;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>Relative paths in the file are relative to its directory.</summary>
    public static ConfigurationResult Load(string file, TimeProvider? time = null)
    {
        if (file.Length == 0)
        {
            return new ConfigurationResult.Invalid([new("--config", 0, "", "names no file")]);
        }

        try
        {
            if (Directory.Exists(file))
            {
                return new ConfigurationResult.Invalid([new(file, 0, "", "is a directory; name the file in it")]);
            }

            if (new FileInfo(file).Length > FileBytesMax)
            {
                return new ConfigurationResult.Invalid([new(file, 0, "", "is larger than 1 MiB: this is not a configuration")]);
            }

            return Parse(file, File.ReadAllText(file), time);
        }
        catch (Exception exception) when (FileTrouble.IsOf(exception) || exception is ArgumentException)
        {
            return new ConfigurationResult.Invalid([new(file, 0, "", "cannot be read: " + FileTrouble.Say(exception, file))]);
        }
    }

    /// <param name="time">The clock by which certificates have expired.</param>
    public static ConfigurationResult Parse(string file, string text, TimeProvider? time = null)
    {
        var problems = new List<ConfigurationProblem>();
        var warnings = new List<ConfigurationProblem>();
        var toml = new TomlFile(file, text, problems);
        if (toml.IsBroken)
        {
            // What comes after it cannot be told from what the mistake made of it.
            return new ConfigurationResult.Invalid([.. problems]);
        }

        var hasClientCa = toml.Table("tls").Has("client_ca");
        var listeners = toml.List("listener").Select(section => (Section: section, Listener: ReadListener(section, hasClientCa)))
            .Where(pair => pair.Listener is not null).Select(pair => (pair.Section, Listener: pair.Listener!)).ToList();
        var paths = new ConfiguredFiles(file, warnings);
        var options = new ServerOptions
        {
            Hostname = ReadHostname(toml.Top),
            Data = paths.Resolve(toml.Top, "data", toml.Top.RequiredText("data", "/var/lib/sallyport") ?? "."),
            Listeners = [.. listeners.Select(pair => pair.Listener)],
            Tls = toml.Has("tls") ? CertificateReader.Read(toml.Table("tls"), paths, (time ?? TimeProvider.System).GetUtcNow()) : null,
            Directories = [.. toml.List("directory").Select(section => DirectoryReader.Read(section, paths)).OfType<DirectoryOptions>()],
            Grants = [.. toml.List("grant").Select(GrantReader.ReadGrant)],
            SenderModes = [.. toml.List("sender").Select(GrantReader.ReadMode)],
            Quotas = [.. toml.List("quota").Select(QuotaReader.Read)],
            Routes = [.. toml.List("route").Select(section => RouteReader.Read(section, paths)).OfType<RouteOptions>()],
            Submission = ReadSubmission(toml.Table("submission")),
            Guard = GuardReader.Read(toml.Table("guard")),
            AppPasswords = AppPasswordReader.Read(toml.Table("app_passwords")),
            Relay = ReadRelay(toml.Table("relay")),
            Limits = ReadLimits(toml.Table("limits")),
            Timeouts = ReadTimeouts(toml.Table("timeouts")),
            Log = ReadLog(toml.Table("log"), paths),
            Store = ReadStore(toml.Table("store")),
            Breaker = BreakerReader.Read(toml.Table("breaker"), toml.List("breaker.for")),
            Alert = AlertReader.ReadAlert(toml.Table("alert"), paths),
            Metrics = AlertReader.ReadMetrics(toml.Table("metrics"), paths),
        };
        toml.Top.Finish();
        new ConfigurationChecks(file, toml, problems, warnings).Run(options, listeners);
        ImmutableArray<ConfigurationProblem> doubts = [.. warnings.Distinct().OrderBy(warning => warning.Line)];
        return problems.Count > 0
            ? new ConfigurationResult.Invalid([.. problems.Distinct().OrderBy(problem => problem.Line)]) { Warnings = doubts }
            : new ConfigurationResult.Loaded(options, doubts);
    }

    private static string ReadHostname(Section top)
    {
        var name = top.RequiredText("hostname", "smtp.acme.test");
        if (name is null)
        {
            return "";
        }

        if (IPAddress.TryParse(name.Trim('[', ']'), out _))
        {
            top.Report("hostname", $"\"{name}\" is an address; give the server's name, which its certificate carries: \"smtp.acme.test\"");
            return name;
        }

        if (!MailboxParser.TryParse("x@" + name, out var mailbox))
        {
            top.Report("hostname", $"\"{name}\" is not a domain name");
            return name;
        }

        // Greeting, EHLO and Received carry ASCII, also before anybody has agreed on more (RFC 6531 §3.7.1).
        return name.All(char.IsAscii) ? name : mailbox!.AsciiDomain;
    }

    private static ListenerOptions? ReadListener(Section section, bool hasClientCa)
    {
        var address = section.RequiredText("address", "0.0.0.0:587");
        var tls = section.Choice("tls", ("starttls", ListenerTls.StartTls), ("implicit", ListenerTls.Implicit), ("none", ListenerTls.None));
        if (!section.Has("tls"))
        {
            section.Report(section.Line, "tls", "is missing: \"implicit\" for port 465, \"starttls\" for port 587");
        }

        var certificates = ReadClientCertificates(section, tls, hasClientCa);
        section.Finish();
        if (address is null || tls is null)
        {
            return null;
        }

        if (!IPEndPoint.TryParse(address, out var endPoint) || !address.Contains(':', StringComparison.Ordinal) || endPoint.Port == 0)
        {
            section.Report("address", $"\"{address}\" is not an IP address and a port; for example \"0.0.0.0:587\" or \"[::]:587\"");
            return null;
        }

        if (endPoint.Port == SmtpPort)
        {
            section.Report("address", "Sallyport never listens on port 25: that port is for mail from strangers, and belongs to a mail "
                + "exchanger. Your own users submit on 587 (starttls) or 465 (implicit)");
            return null;
        }

        if (tls == ListenerTls.None && !IPAddress.IsLoopback(endPoint.Address))
        {
            section.Report("tls", "\"none\" is for loopback addresses only: passwords would cross the network in clear");
            return null;
        }

        return new ListenerOptions(endPoint, tls.Value) { ClientCertificates = certificates };
    }

    private static ClientCertificates ReadClientCertificates(Section section, ListenerTls? tls, bool hasClientCa)
    {
        var certificates = section.Choice("client_certificates", ("none", ClientCertificates.None), ("optional", ClientCertificates.Optional),
            ("required", ClientCertificates.Required));
        if (certificates is not (null or ClientCertificates.None) && (!hasClientCa || tls == ListenerTls.None))
        {
            section.Report("client_certificates", hasClientCa ? "are part of TLS, and this listener has none" : "need client_ca in [tls]");
        }

        return certificates ?? (hasClientCa && tls is not ListenerTls.None ? ClientCertificates.Optional : ClientCertificates.None);
    }

    private static SubmissionOptions ReadSubmission(Section section)
    {
        var d = new SubmissionOptions();
        var options = new SubmissionOptions
        {
            BareNewlines = section.Choice("bare_newlines", ("normalise", BareNewlines.Normalise), ("refuse", BareNewlines.Refuse)) ?? d.BareNewlines,
            Mechanisms = ReadMechanisms(section),
            ShowLogin = section.Flag("show_login", d.ShowLogin),
            ShowClient = section.Flag("show_client", d.ShowClient),
        };
        section.Finish();
        return options;
    }

    private static ImmutableArray<string> ReadMechanisms(Section section)
    {
        foreach (var (text, line) in section.Texts("mechanisms").Where(name => !SaslServer.All.Contains(name.Text)))
        {
            section.Report(line, "mechanisms", $"\"{text}\" is not a mechanism of this server" + Section.Guess(text, SaslServer.All));
        }

        return [.. section.Texts("mechanisms").Select(name => name.Text)];
    }

    private static RelayOptions ReadRelay(Section section)
    {
        var d = new RelayOptions();
        var options = new RelayOptions
        {
            RetryFirst = section.Time("retry_first", d.RetryFirst, Second, Day),
            RetryFactor = section.Factor("retry_factor", d.RetryFactor, 1, 10),
            RetryMax = section.Time("retry_max", d.RetryMax, Second, 7 * Day),
            GiveUpAfter = section.Time("give_up_after", d.GiveUpAfter, Second, 30 * Day),
            WarnAfter = section.Time("warn_after", d.WarnAfter, Second, 30 * Day),
            MessagesPerConnection = section.Number("messages_per_connection", d.MessagesPerConnection, 1, 1_000_000),
            RecipientsPerTransaction = section.Number("recipients_per_transaction", d.RecipientsPerTransaction, 1, 10_000),
            IdleTimeout = section.Time("idle_timeout", d.IdleTimeout, TimeSpan.FromMilliseconds(100), Hour),
            MemoryBytes = section.Size("memory_bytes", d.MemoryBytes, 0L, 64L << 30),
            MessagesInMemory = section.Number("messages_in_memory", d.MessagesInMemory, 1, 1_000_000),
            ReturnedBytes = section.Size("returned_bytes", d.ReturnedBytes, 1024, 64 << 20),
        };
        section.Finish();
        return options;
    }

    private static LimitOptions ReadLimits(Section section)
    {
        var d = new LimitOptions();
        var options = new LimitOptions
        {
            Smtp = ReadSmtpLimits(section),
            Connections = section.Number("connections", d.Connections, 1, 1_000_000),
            ConnectionsPerAddress = section.Number("connections_per_address", d.ConnectionsPerAddress, 1, 1_000_000),
            Handshakes = section.Number("handshakes", d.Handshakes, 1, 1_000_000),
            HashesAtOnce = section.Number("hashes_at_once", d.HashesAtOnce, 1, 1024),
            HashesWaiting = section.Number("hashes_waiting", d.HashesWaiting, 1, 1_000_000),
            HashesWaitingPerNetwork = section.Number("hashes_waiting_per_network", d.HashesWaitingPerNetwork, 1, 1_000_000),
            LoginCache = section.Time("login_cache", d.LoginCache, TimeSpan.Zero, Day),
        };
        section.Finish();
        return options;
    }

    private static SmtpLimits ReadSmtpLimits(Section section)
    {
        var d = new SmtpLimits();
        return new SmtpLimits
        {
            CommandLineBytes = section.Size("max_command_line_bytes", d.CommandLineBytes, 1024, 65536),
            AuthLineBytes = section.Size("max_auth_line_bytes", d.AuthLineBytes, 1024, 65536),
            CredentialBytes = section.Size("max_credential_bytes", d.CredentialBytes, 64, 8192),
            TokenBytes = section.Size("max_token_bytes", d.TokenBytes, 1024, 48 * 1024),
            MessageBytes = section.Size("max_message_bytes", d.MessageBytes, 65536L, 64L << 30),
            Recipients = section.Number("max_recipients", d.Recipients, 100, 100_000),
            HeaderBytes = section.Size("max_header_bytes", d.HeaderBytes, 16384, 16 << 20),
            HeaderFields = section.Number("max_header_fields", d.HeaderFields, 100, 100_000),
            Hops = section.Number("max_hops", d.Hops, 10, 10_000),
            ContentLineBytes = section.Size("max_content_line_bytes", d.ContentLineBytes, 998, 1 << 20),
            Errors = section.Number("max_errors", d.Errors, 3, 10_000),
            PolicyRefusals = section.Number("max_policy_refusals", d.PolicyRefusals, 10, 1_000_000),
            AuthFailures = section.Number("max_auth_failures", d.AuthFailures, 1, 100),
            CommandsBeforeLogin = section.Number("max_commands_before_login", d.CommandsBeforeLogin, 10, 10_000),
            MessagesPerSession = section.Number("max_messages_per_session", d.MessagesPerSession, 1, 1_000_000),
        };
    }

    private static TimeoutOptions ReadTimeouts(Section section)
    {
        var d = new TimeoutOptions();
        var options = new TimeoutOptions
        {
            Handshake = section.Time("handshake", d.Handshake, Second, Hour),
            CommandBeforeLogin = section.Time("command_before_login", d.CommandBeforeLogin, Second, Hour),
            Login = section.Time("login", d.Login, Second, Hour),
            Command = section.Time("command", d.Command, Second, Hour),
            DataBlock = section.Time("data_block", d.DataBlock, Second, Hour),
            DataBytesPerSecondMin = section.Number("data_bytes_per_second_min", d.DataBytesPerSecondMin, 0, 1_000_000),
            Write = section.Time("write", d.Write, Second, Hour),
            Commit = section.Time("commit", d.Commit, Second, Hour),
            Drain = section.Time("drain", d.Drain, TimeSpan.Zero, Hour),
            RelayConnect = section.Time("relay_connect", d.RelayConnect, Second, Hour),
            RelayGreeting = section.Time("relay_greeting", d.RelayGreeting, Second, Hour),
            RelayCommand = section.Time("relay_command", d.RelayCommand, Second, Hour),
            RelayDataBlock = section.Time("relay_data_block", d.RelayDataBlock, Second, Hour),
            RelayFinalDot = section.Time("relay_final_dot", d.RelayFinalDot, Second, Hour),
        };
        section.Finish();
        return options;
    }

    private static LogOptions ReadLog(Section section, ConfiguredFiles paths)
    {
        var style = section.Choice("style", ("human", LogStyle.Human), ("json", LogStyle.Json), ("domino", LogStyle.Domino));
        var file = section.Text("file");
        section.Finish();
        return new LogOptions { Style = style ?? LogStyle.Human, File = file is null ? null : paths.Resolve(section, "file", file) };
    }

    private static StoreOptions ReadStore(Section section)
    {
        var d = new StoreOptions();
        if (section.Has("postgres"))
        {
            section.Report("postgres", "is not in this release; without it mail is kept in SQLite below data");
        }

        var options = new StoreOptions
        {
            DiskFloorBytes = section.Size("disk_floor_bytes", d.DiskFloorBytes, 0L, 1L << 50),
            DiskFloorPercent = section.Number("disk_floor_percent", d.DiskFloorPercent, 0, 90),
        };
        section.Finish();
        return options;
    }
}
