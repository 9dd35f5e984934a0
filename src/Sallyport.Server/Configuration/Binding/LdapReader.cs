using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>A [[directory]] with type = "ldap". A preset fills in what its kind of server has in common.</summary>
internal static class LdapReader
{
    private const int DefaultPort = 389;
    private const int DefaultTlsPort = 636;
    private const string DominoFewer = "(&(objectClass=dominoPerson)(|(mail={login})(cn={login})))";
    private const string DominoMore = "(&(objectClass=dominoPerson)(|(mail={login})(uid={login})(cn={login})))";

    private static readonly LdapDirectoryOptions Plain = new("") { Servers = [], UserFilter = "" };

    private static readonly Dictionary<LdapPreset, LdapDirectoryOptions> Presets = new()
    {
        [LdapPreset.None] = Plain,
        [LdapPreset.Domino] = Plain with
        {
            UserFilter = DominoFewer,
            GroupAttribute = "dominoAccessGroups",
            GroupFilter = "(&(objectClass=dominoGroup)(member={dn}))",
            LoginAttributes = ["dn"],
        },
        [LdapPreset.ActiveDirectory] = Plain with
        {
            UserFilter = "(&(objectCategory=person)(objectClass=user)"
                + "(|(userPrincipalName={login})(sAMAccountName={login})(mail={login})(proxyAddresses=smtp:{login})))",
            AddressAttributes = ["mail", "proxyAddresses"],
            GroupAttribute = "memberOf",
            LoginAttributes = ["userPrincipalName", "sAMAccountName"],
        },
        [LdapPreset.OpenLdap] = Plain with
        {
            UserFilter = "(&(objectClass=inetOrgPerson)(|(uid={login})(mail={login})))",
            GroupAttribute = "memberOf",
            GroupFilter = "(|(member={dn})(uniqueMember={dn})(memberUid={login}))",
            LoginAttributes = ["uid"],
        },
    };

    public static LdapDirectoryOptions Read(Section section, string name, ConfiguredFiles paths)
    {
        var preset = section.Choice("preset",
            ("domino", LdapPreset.Domino), ("active-directory", LdapPreset.ActiveDirectory), ("openldap", LdapPreset.OpenLdap)) ?? LdapPreset.None;
        var d = Presets[preset];
        var options = new LdapDirectoryOptions(name)
        {
            Servers = ReadServers(section),
            StartTls = section.Flag("starttls", false),
            TlsCa = section.Text("tls_ca") is { } ca ? paths.MustExist(section, "tls_ca", ca) : null,
            Preset = preset,
            Base = ReadBase(section),
            Scope = section.Choice("scope", ("subtree", LdapScope.Subtree), ("one-level", LdapScope.OneLevel)) ?? d.Scope,
            BindDn = section.Text("bind_dn"),
            Password = paths.NamedSecret(section, "password"),
            UserFilter = ReadUserFilter(section, preset, d),
            BindAsTyped = section.Choice("bind", ("search", false), ("as-typed", true)) ?? false,
            AddressAttributes = ReadAttributes(section, "address_attributes", d.AddressAttributes),
            GroupAttribute = ReadAttributes(section, "group_attribute", d.GroupAttribute is { } group ? [group] : []) is [var first, ..]
                ? first : null,
            GroupFilter = ReadFilter(section, "group_filter", "{dn}") ?? d.GroupFilter,
            LoginAttributes = ReadAttributes(section, "login_attribute", d.LoginAttributes),
            Timeout = section.Time("timeout", d.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(25)),
            ConnectionsMax = section.Number("connections_max", d.ConnectionsMax, 1, 256),
        };
        CheckTls(section, options);
        CheckAccount(section, options);
        Warn(section, options, paths);
        return options;
    }

    private static ValueList<LdapServerAddress> ReadServers(Section section)
    {
        if (!section.Has("url"))
        {
            section.Report(section.Line, "url", "is missing; for example url = \"ldaps://inner.acme.test\", or a list of such servers");
        }

        return [.. section.Texts("url").Select(url => ParseServer(section, url.Text, url.Line)).OfType<LdapServerAddress>()];
    }

    private static LdapServerAddress? ParseServer(Section section, string text, int line)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("ldap" or "ldaps") || url.Host.Length == 0)
        {
            section.Report(line, "url", $"\"{text}\" is not an LDAP server; \"ldaps://inner.acme.test\" and \"ldap://127.0.0.1:389\" are");
            return null;
        }

        if (url.AbsolutePath is not ("" or "/") || url.Query.Length > 0 || url.Fragment.Length > 0 || url.UserInfo.Length > 0)
        {
            section.Report(line, "url", $"\"{text}\" says more than the server: base, filter and login have keys of their own");
            return null;
        }

        var tls = url.Scheme == "ldaps";
        var port = url.Port > 0 ? url.Port : tls ? DefaultTlsPort : DefaultPort;
        return new LdapServerAddress(url.Host.Trim('[', ']'), port, tls);
    }

    private static string ReadBase(Section section) =>
        // Empty is a value here: the tree of Domino starts at its root.
        section.Has("base") && section.IsEmptyText("base") ? "" : section.Text("base") ?? "";

    private static string ReadUserFilter(Section section, LdapPreset preset, LdapDirectoryOptions d)
    {
        var more = section.Choice("login_names", ("fewer", false), ("more", true));
        if (more is not null && preset != LdapPreset.Domino)
        {
            section.Report("login_names", "is only valid with preset = \"domino\"; user_filter says which names are logins");
        }

        if (more is not null && section.Has("user_filter"))
        {
            section.Report("login_names", "and user_filter are both set: which is it?");
        }

        var filter = ReadFilter(section, "user_filter", "{login}");
        if (!section.Has("user_filter") && preset == LdapPreset.None)
        {
            section.Report(section.Line, "user_filter", "is missing; for example user_filter = \"(&(objectClass=person)(uid={login}))\", "
                + "or set a preset");
        }

        return filter ?? (more == true ? DominoMore : d.UserFilter);
    }

    private static string? ReadFilter(Section section, string key, string place)
    {
        if (section.Text(key) is not { } filter)
        {
            return null;
        }

        if (!filter.Contains(place, StringComparison.Ordinal))
        {
            section.Report(key, $"has no {place} in it: everybody would match");
        }
        else if (!IsBalanced(filter))
        {
            section.Report(key, "is not a filter of RFC 4515: one pair of parentheses around it, and each one closed");
        }

        return filter;
    }

    private static bool IsBalanced(string filter)
    {
        var depth = 0;
        for (var i = 0; i < filter.Length; i++)
        {
            depth += filter[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (depth < 1 && i < filter.Length - 1)
            {
                return false;
            }
        }

        return depth == 0 && filter.StartsWith('(');
    }

    private static ValueList<string> ReadAttributes(Section section, string key, ValueList<string> otherwise)
    {
        var names = section.Texts(key);
        foreach (var (text, line) in names.Where(name => !name.Text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ';')))
        {
            section.Report(line, key, $"\"{text}\" is not the name of an attribute");
        }

        return names.IsEmpty ? otherwise : [.. names.Select(name => name.Text)];
    }

    private static void CheckTls(Section section, LdapDirectoryOptions options)
    {
        foreach (var server in options.Servers)
        {
            if (server.ImplicitTls && options.StartTls)
            {
                section.Report("starttls", $"contradicts {server}: that is TLS from the first octet; write ldap:// for StartTLS");
            }
            else if (!server.ImplicitTls && !options.StartTls && !server.IsLoopback)
            {
                section.Report("url", $"{server} would carry passwords in clear: write ldaps://, or set starttls = true");
            }
        }

        if (options.TlsCa is not null && !options.StartTls && !options.Servers.Any(server => server.ImplicitTls))
        {
            section.Report("tls_ca", "is only valid with ldaps:// or starttls = true");
        }
    }

    private static void CheckAccount(Section section, LdapDirectoryOptions options)
    {
        var hasPassword = section.Has("password_file") || section.Has("password_env");
        if (options.BindDn is null == hasPassword)
        {
            section.Report(section.Line, options.BindDn is null ? "bind_dn" : "password_file", options.BindDn is null
                ? "is missing, though there is a password"
                : "is missing, though there is a bind_dn (or password_env)");
        }
    }

    private static void Warn(Section section, LdapDirectoryOptions options, ConfiguredFiles paths)
    {
        if (options.Base.Length == 0 && options.Preset is LdapPreset.OpenLdap or LdapPreset.ActiveDirectory)
        {
            section.Warn("base", "is not set: only a Domino tree starts at the root; for example base = \"dc=acme,dc=test\"");
        }

        if (options is { Preset: LdapPreset.ActiveDirectory, BindDn: null, BindAsTyped: false })
        {
            section.Warn("bind_dn", "is not set, and Active Directory answers no anonymous search: no login would be found");
        }

        if (options.Servers.FirstOrDefault(server => server.Host == "localhost" && (server.ImplicitTls || options.StartTls)) is { } local)
        {
            section.Warn("url", $"{local}: libldap expects the machine's own host name in the certificate when it is told localhost; "
                + "write the name that is in the certificate");
        }
    }
}
