using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

/// <summary>Where a directory's server is.</summary>
/// <param name="ImplicitTls">True for imaps://, pop3s:// and tls://.</param>
/// <param name="Path">A Unix socket in place of host and port.</param>
public sealed record ServerAddress(string Host, int Port, bool ImplicitTls, string? Path = null)
{
    public override string ToString() => Path ?? (Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}");
}

/// <summary>Whose certificates are believed.</summary>
/// <param name="TlsCa">PEM file with the only authorities to trust; the system's when null.</param>
/// <param name="TlsName">The name the certificate must carry; the host's when null.</param>
public sealed record ServerTrust(string? TlsCa, string? TlsName);

/// <summary>Which addresses a login may send as, where the server tells none.</summary>
public sealed record LoginAddressOptions
{
    public const string LoginPlace = "{login}";
    public const string LocalPlace = "{local}";
    public const string DomainPlace = "{domain}";

    /// <summary>A login without @ gets it.</summary>
    public string? Domain { get; init; }

    /// <summary>The login itself is granted, when it is an address.</summary>
    public bool LoginIsAddress { get; init; } = true;

    /// <summary>Further addresses, with {login}, {local} and {domain} in them.</summary>
    public ValueList<string> Templates { get; init; } = [];

}

public enum MailboxProtocol
{
    Imap,
    Pop3,
}

/// <summary>type = "imap" and "pop3": logs in to the site's own mailbox server with what the user typed.</summary>
public sealed record MailboxDirectoryOptions(string Name, MailboxProtocol Protocol) : DirectoryOptions(Name)
{
    /// <summary>In order of preference.</summary>
    public ValueList<ServerAddress> Servers { get; init; } = [];

    /// <summary>False for tls = "none": in clear, on loopback only.</summary>
    public bool Tls { get; init; } = true;

    public ServerTrust Trust { get; init; } = new(null, null);

    public LoginAddressOptions Addresses { get; init; } = new();

    /// <summary>Tell the server the client's address, when it takes it.</summary>
    public bool TellClient { get; init; }

    public int ConnectionsMax { get; init; } = 20;

    /// <summary>Logins that may wait for a connection; more get 454.</summary>
    public int WaitingMax { get; init; } = 500;

    /// <summary>From the first octet to the greeting, for each server.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For a whole login, fail-over included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

}

/// <summary>type = "dovecot": Dovecot's auth service, over its auth-client protocol.</summary>
public sealed record DovecotDirectoryOptions(string Name) : DirectoryOptions(Name)
{
    /// <summary>Sockets in order of preference.</summary>
    public ValueList<ServerAddress> Servers { get; init; } = [];

    /// <summary>Sockets for looking up users, in order of preference; empty for none.</summary>
    public ValueList<ServerAddress> UserServers { get; init; } = [];

    public ServerTrust Trust { get; init; } = new(null, null);

    public LoginAddressOptions Addresses { get; init; } = new();

    /// <summary>What Dovecot calls us: %s in its configuration.</summary>
    public string Service { get; init; } = "smtp";

    /// <summary>Persistent connections; each carries many logins at once.</summary>
    public int ConnectionsMax { get; init; } = 2;

    /// <summary>Logins under way at once.</summary>
    public int RequestsMax { get; init; } = 200;

    /// <summary>Logins that may wait for their turn; more get 454.</summary>
    public int WaitingMax { get; init; } = 500;

    /// <summary>Dovecot delays logins from addresses that fail much. Off, since it is we who count failures.</summary>
    public bool Penalty { get; init; }

    /// <summary>Believe a login that Dovecot only proxies, although it may not have judged its password.</summary>
    public bool AcceptProxied { get; init; }

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For each answer, Dovecot's own delay of failures included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

}
