using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration;

public enum LdapPreset
{
    /// <summary>Every key is the administrator's.</summary>
    None,
    Domino,
    ActiveDirectory,
    OpenLdap,
}

public enum LdapScope
{
    Subtree,
    OneLevel,
}

/// <param name="ImplicitTls">True for "ldaps://".</param>
public sealed record LdapServerAddress(string Host, int Port, bool ImplicitTls)
{
    public bool IsLoopback => LoopbackHost.IsLoopback(Host);

    public override string ToString() =>
        $"{(ImplicitTls ? "ldaps" : "ldap")}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";
}

/// <summary>type = "ldap". Equal when nothing in it has changed, so that a reload keeps its connections.</summary>
public sealed record LdapDirectoryOptions(string Name) : DirectoryOptions(Name)
{
    /// <summary>In order of preference.</summary>
    public required ValueList<LdapServerAddress> Servers { get; init; }

    public bool StartTls { get; init; }

    /// <summary>PEM file with the only authorities to trust; the system's when null.</summary>
    public string? TlsCa { get; init; }

    public LdapPreset Preset { get; init; }

    /// <summary>Where searches start; empty is the root of the tree.</summary>
    public string Base { get; init; } = "";

    public LdapScope Scope { get; init; }

    /// <summary>Who searches; nobody (anonymous) when null.</summary>
    public string? BindDn { get; init; }

    /// <summary>Read from the file or variable named in the configuration; never written anywhere.</summary>
    public string? Password { get; init; }

    /// <summary>RFC 4515, with {login} where the login goes.</summary>
    public required string UserFilter { get; init; }

    /// <summary>Binds with what was typed in place of the DN of an entry found first.</summary>
    public bool BindAsTyped { get; init; }

    public ValueList<string> AddressAttributes { get; init; } = ["mail"];

    /// <summary>An attribute of the person that names its groups.</summary>
    public string? GroupAttribute { get; init; }

    /// <summary>Finds the groups of a person without that attribute: {dn} and {login} are filled in.</summary>
    public string? GroupFilter { get; init; }

    /// <summary>The first of these attributes a person has is the login's canonical name; "dn" is the name of the entry.</summary>
    public ValueList<string> LoginAttributes { get; init; } = [];

    /// <summary>For one login, all servers and steps together.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Logins asked about at once; each uses at most one connection for searching and one for binding.</summary>
    public int ConnectionsMax { get; init; } = 8;

    // The compiler's version would print the password.
    public override string ToString() => $"ldap directory {Name} at {string.Join(", ", Servers)}";
}
