using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

/// <summary>The whole configuration: an immutable snapshot, swapped whole on reload. Each member is one key of the TOML file.</summary>
public sealed record ServerOptions
{
    public required string Hostname { get; init; }

    /// <summary>Directory of the spool, the accounts and the admin socket.</summary>
    public required string Data { get; init; }

    public ValueList<ListenerOptions> Listeners { get; init; } = [];

    public TlsOptions? Tls { get; init; }

    /// <summary>Asked in order. The local accounts come last where no entry gives them another place.</summary>
    public ValueList<DirectoryOptions> Directories { get; init; } = [];

    /// <summary>Added to what the directories grant.</summary>
    public ValueList<GrantOptions> Grants { get; init; } = [];

    /// <summary>What happens to a sender that is not granted; the first entry for a login decides.</summary>
    public ValueList<SenderModeOptions> SenderModes { get; init; } = [];

    /// <summary>How much logins may send. Of those for each login the first that is for it decides; shared ones all do.</summary>
    public ValueList<Quota> Quotas { get; init; } = [];

    /// <summary>First match wins.</summary>
    public ValueList<RouteOptions> Routes { get; init; } = [];

    public SubmissionOptions Submission { get; init; } = new();

    public GuardOptions Guard { get; init; } = new();

    public AppPasswordOptions AppPasswords { get; init; } = new();

    public RelayOptions Relay { get; init; } = new();

    public LimitOptions Limits { get; init; } = new();

    public TimeoutOptions Timeouts { get; init; } = new();

    public LogOptions Log { get; init; } = new();

    public StoreOptions Store { get; init; } = new();

    public BreakerOptions Breaker { get; init; } = new();

    public AlertOptions Alert { get; init; } = new();

    public MetricsOptions Metrics { get; init; } = new();
}

public enum ListenerTls
{
    StartTls,
    Implicit,
    None,
}

public sealed record ListenerOptions(IPEndPoint Address, ListenerTls Tls)
{
    public ClientCertificates ClientCertificates { get; init; }
}

public enum ClientCertificates
{
    /// <summary>Not asked for.</summary>
    None,

    /// <summary>Asked for; a client without one, or with one that proves nothing, logs in another way.</summary>
    Optional,

    /// <summary>No connection without one that is verified.</summary>
    Required,
}

/// <param name="Certificate">PEM, leaf first, then the chain.</param>
/// <param name="Key">PEM, RSA or ECDSA.</param>
public sealed record TlsOptions(string Certificate, string Key)
{
    /// <summary>PEM, the only authorities whose client certificates count, and intermediate ones of theirs.</summary>
    public string? ClientCa { get; init; }

    /// <summary>PEM, revocation lists of these authorities.</summary>
    public string? ClientCrl { get; init; }
}

/// <summary>A [[directory]] entry: one record a type, equal when nothing in it has changed.</summary>
/// <param name="Name">Unique; in logs and explanations.</param>
public abstract record DirectoryOptions(string Name)
{
    /// <summary>How long a password the directory found right is not asked again; zero where it is asked each time.</summary>
    public TimeSpan LoginCache { get; init; }

    /// <summary>How long a login may go on, while the directory is away, by its last success from the same network; zero for not at all.</summary>
    public TimeSpan OutageFor { get; init; }
}

/// <summary>type = "local": the place of the local accounts in the order.</summary>
public sealed record LocalDirectoryOptions(string Name) : DirectoryOptions(Name);

/// <summary>type = "hashes": a file of logins with password hashes of another system.</summary>
public sealed record HashesDirectoryOptions(string Name, string File) : DirectoryOptions(Name);

/// <summary>A [[grant]] entry.</summary>
/// <param name="To">Logins, "group:NAME" or "*".</param>
/// <param name="As">Addresses, patterns or "login:LOGIN".</param>
public sealed record GrantOptions(ValueList<string> To, ValueList<string> As, int Line);

/// <summary>A [[sender]] entry.</summary>
/// <param name="For">Logins, "group:NAME" or "*".</param>
public sealed record SenderModeOptions(ValueList<string> For, SenderMode Mode);

/// <summary>A [[route]] entry: exactly one of <see cref="Smarthosts"/> and <see cref="Capture"/> is set.</summary>
public sealed record RouteOptions
{
    /// <summary>Domains in lower case; ".acme.test" for what lies below it; "*" for all.</summary>
    public required ValueList<string> Recipients { get; init; }

    /// <summary>In order of preference.</summary>
    public ValueList<SmarthostAddress> Smarthosts { get; init; } = [];

    public RelayTls Tls { get; init; } = RelayTls.Verify;

    /// <summary>Name the certificate must carry; the smarthost's host name when null.</summary>
    public string? TlsName { get; init; }

    /// <summary>PEM file with the only CAs to trust for this route; the system's when null.</summary>
    public string? TlsCa { get; init; }

    public string? Login { get; init; }

    /// <summary>Read from the file or environment variable named in the configuration; never written anywhere.</summary>
    public string? Password { get; init; }

    /// <summary>A Maildir that keeps every message instead of relaying it.</summary>
    public string? Capture { get; init; }

    /// <summary>Most connections at once to one smarthost of this route.</summary>
    public int ConnectionsMax { get; init; } = 20;

    /// <summary>Is mail to this domain for it?</summary>
    /// <param name="domain">In ASCII and lower case.</param>
    public bool Takes(string domain) => Recipients.Any(pattern =>
        pattern == "*" || pattern == domain || (pattern.StartsWith('.') && domain.EndsWith(pattern, StringComparison.Ordinal)));

    // The compiler's version would print the password.
    public override string ToString() => $"route {string.Join(',', Recipients)}";
}

/// <param name="ImplicitTls">True for "smtps://host:465".</param>
public sealed record SmarthostAddress(string Host, int Port, bool ImplicitTls)
{
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

public enum RelayTls
{
    /// <summary>TLS with a certificate that is valid for the name, or no mail.</summary>
    Verify,

    /// <summary>TLS with any certificate, or no mail.</summary>
    Encrypt,

    /// <summary>TLS when offered. A login is never sent without TLS.</summary>
    May,

    None,
}

public enum BareNewlines
{
    Normalise,
    Refuse,
}

public sealed record SubmissionOptions
{
    public BareNewlines BareNewlines { get; init; } = BareNewlines.Normalise;

    /// <summary>The only SASL mechanisms to offer; empty: those every directory can judge.</summary>
    public ValueList<string> Mechanisms { get; init; } = [];

    /// <summary>Shows the login in the Received header of what leaves.</summary>
    public bool ShowLogin { get; init; }

    /// <summary>Shows the client's address in the Received header of what leaves.</summary>
    public bool ShowClient { get; init; }
}

public sealed record RelayOptions
{
    public TimeSpan RetryFirst { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Each wait is the last one times this, up to <see cref="RetryMax"/>, with a jitter of a tenth.</summary>
    public double RetryFactor { get; init; } = 2;

    public TimeSpan RetryMax { get; init; } = TimeSpan.FromHours(2);

    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(5);

    public TimeSpan WarnAfter { get; init; } = TimeSpan.FromHours(4);

    /// <summary>Connections to next hops at once, in all; not configured, but what the limit of open files leaves room for.</summary>
    public int ConnectionsMax { get; init; } = int.MaxValue;

    /// <summary>Messages in one connection before a new one is opened.</summary>
    public int MessagesPerConnection { get; init; } = 1000;

    /// <summary>Recipients in one transaction.</summary>
    public int RecipientsPerTransaction { get; init; } = 100;

    /// <summary>How long an unused connection is kept for the next message.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Content kept in memory on its way to the relay, in all; beyond it messages are read back from the spool.</summary>
    public long MemoryBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Messages in memory on their way to the relay; beyond it they wait in the spool.</summary>
    public int MessagesInMemory { get; init; } = 10_000;

    /// <summary>With RET=FULL a larger message comes back as its header only.</summary>
    public int ReturnedBytes { get; init; } = 256 * 1024;
}

public sealed record LimitOptions
{
    public SmtpLimits Smtp { get; init; } = new();

    public int Connections { get; init; } = 5000;

    /// <summary>Connections from one IPv4 address or one IPv6 /64.</summary>
    public int ConnectionsPerAddress { get; init; } = 100;

    /// <summary>TLS handshakes under way at once; one more is told 454, or on an implicit-TLS listener cut.</summary>
    public int Handshakes { get; init; } = 500;

    /// <summary>
    /// Password hashes computed at once, never more than the processors less one; more wait, and those that would wait too long get 454.
    /// </summary>
    public int HashesAtOnce { get; init; } = Math.Max(1, Environment.ProcessorCount - 1);

    /// <summary>Logins waiting for a hash.</summary>
    public int HashesWaiting { get; init; } = 500;

    /// <summary>Logins waiting for a hash from one IPv4 address or one IPv6 /64.</summary>
    public int HashesWaitingPerNetwork { get; init; } = 8;

    /// <summary>How long a login that just succeeded is checked against the keyed cache in place of its hash.</summary>
    public TimeSpan LoginCache { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>Deadlines, not idle timers: each counts from when the wait begins (RFC 5321 §4.5.3.2).</summary>
public sealed record TimeoutOptions
{
    /// <summary>For the whole TLS handshake.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For a whole command before AUTH has succeeded.</summary>
    public TimeSpan CommandBeforeLogin { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>From the first octet to the login, whatever is said meanwhile.</summary>
    public TimeSpan Login { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>For a whole command (RFC 5321 §4.5.3.2.7).</summary>
    public TimeSpan Command { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For the next block of content (RFC 5321 §4.5.3.2.5).</summary>
    public TimeSpan DataBlock { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Content slower than this, after the first DataBlock, is closed. Bytes per second.</summary>
    public int DataBytesPerSecondMin { get; init; } = 500;

    /// <summary>For the client to take a reply.</summary>
    public TimeSpan Write { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From the final dot to the reply; then 451 (RFC 1047).</summary>
    public TimeSpan Commit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long sessions may finish after SIGTERM.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(25);

    // The client side's (RFC 5321 §4.5.3.2.1 to .6).
    public TimeSpan RelayConnect { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan RelayGreeting { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan RelayCommand { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan RelayDataBlock { get; init; } = TimeSpan.FromMinutes(3);

    public TimeSpan RelayFinalDot { get; init; } = TimeSpan.FromMinutes(10);
}

public enum LogStyle
{
    Human,
    Json,
    Domino,
}

public sealed record LogOptions
{
    public LogStyle Style { get; init; } = LogStyle.Human;

    /// <summary>A file to append to; standard output when null.</summary>
    public string? File { get; init; }
}

public sealed record StoreOptions
{
    /// <summary>Free bytes below which nothing new is taken, whichever is larger of this and 5 % of the file system.</summary>
    public long DiskFloorBytes { get; init; } = 1L * 1024 * 1024 * 1024;

    public int DiskFloorPercent { get; init; } = 5;
}
