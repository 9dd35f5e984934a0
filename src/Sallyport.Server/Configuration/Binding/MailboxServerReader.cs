using System.Security.Cryptography;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>A [[directory]] that asks a mailbox server: type = "imap", "pop3" and "dovecot".</summary>
internal static class MailboxServerReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // A login has 30 s in all; what a server may take must end before.
    private static readonly TimeSpan TimeoutMax = TimeSpan.FromSeconds(28);

    public static DirectoryOptions Imap(Section section, string name, ConfiguredFiles paths) =>
        Mailbox(section, new MailboxDirectoryOptions(name, MailboxProtocol.Imap), paths);

    public static DirectoryOptions Pop3(Section section, string name, ConfiguredFiles paths) =>
        Mailbox(section, new MailboxDirectoryOptions(name, MailboxProtocol.Pop3), paths);

    public static DirectoryOptions Dovecot(Section section, string name, ConfiguredFiles paths)
    {
        var d = new DovecotDirectoryOptions(name);
        if (!section.Has("socket"))
        {
            section.Report(section.Line, "socket", "is missing; for example socket = \"/run/dovecot/auth-sallyport\", or \"tcp://127.0.0.1:9100\"");
        }

        var options = d with
        {
            Servers = ReadSockets(section, "socket", paths),
            UserServers = ReadSockets(section, "userdb", paths),
            Trust = ReadTrust(section, paths),
            Addresses = ReadAddresses(section),
            Service = ReadService(section) ?? d.Service,
            ConnectionsMax = section.Number("connections_max", d.ConnectionsMax, 1, 64),
            RequestsMax = section.Number("requests_max", d.RequestsMax, 1, 10_000),
            WaitingMax = section.Number("waiting_max", d.WaitingMax, 0, 100_000),
            Penalty = section.Flag("penalty", d.Penalty),
            AcceptProxied = section.Flag("accept_proxied", d.AcceptProxied),
            ConnectTimeout = section.Time("connect_timeout", d.ConnectTimeout, Second, TimeoutMax),
            Timeout = section.Time("timeout", d.Timeout, Second, TimeoutMax),
        };
        var clear = section.Flag("clear", false);
        foreach (var (key, server) in options.Servers.Select(server => ("socket", server))
            .Concat(options.UserServers.Select(server => ("userdb", server)))
            .Where(one => one.server is { Path: null, ImplicitTls: false } && !LoopbackHost.IsLoopback(one.server.Host) && !clear))
        {
            section.Report(key, $"{server} would carry {(key == "socket" ? "passwords" : "who exists")} in clear: write tls:// for a TLS wrapper "
                + "in front of Dovecot, or set clear = true where the way there is a private one");
        }

        CheckTrust(section, options.Servers.Concat(options.UserServers).Any(server => server.ImplicitTls), "tls://");
        return options;
    }

    private static MailboxDirectoryOptions Mailbox(Section section, MailboxDirectoryOptions d, ConfiguredFiles paths)
    {
        var (scheme, port, tlsPort) = d.Protocol == MailboxProtocol.Imap ? ("imap", 143, 993) : ("pop3", 110, 995);
        if (!section.Has("url"))
        {
            section.Report(section.Line, "url", $"is missing; for example url = \"{scheme}s://mail.acme.test\", or a list of such servers");
        }

        var tls = section.Choice("tls", ("verify", true), ("none", false)) ?? true;
        var options = d with
        {
            Servers =
            [
                .. section.Texts("url").Select(url => ReadUrl(section, "url", url.Text, url.Line, (scheme, port), (scheme + "s", tlsPort)))
                    .OfType<ServerAddress>(),
            ],
            Tls = tls,
            Trust = ReadTrust(section, paths),
            Addresses = ReadAddresses(section),
            TellClient = section.Flag("tell_client", d.TellClient),
            ConnectionsMax = section.Number("connections_max", d.ConnectionsMax, 1, 10_000),
            WaitingMax = section.Number("waiting_max", d.WaitingMax, 0, 100_000),
            ConnectTimeout = section.Time("connect_timeout", d.ConnectTimeout, Second, TimeoutMax),
            Timeout = section.Time("timeout", d.Timeout, Second, TimeoutMax),
        };
        foreach (var server in options.Servers.Where(server => !tls && (server.ImplicitTls || !LoopbackHost.IsLoopback(server.Host))))
        {
            section.Report("tls", server.ImplicitTls
                ? $"\"none\" contradicts {scheme}s:// of {server}"
                : $"\"none\" is for loopback addresses only: passwords would go to {server} in clear");
        }

        CheckTrust(section, tls, $"{scheme}s://, or {scheme}:// and STARTTLS");
        return options;
    }

    private static ValueList<ServerAddress> ReadSockets(Section section, string key, ConfiguredFiles paths) =>
        [.. section.Texts(key).Select(text => ReadSocket(section, key, text.Text, text.Line, paths)).OfType<ServerAddress>()];

    private static ServerAddress? ReadSocket(Section section, string key, string text, int line, ConfiguredFiles paths) =>
        text.Contains("://", StringComparison.Ordinal)
            ? ReadUrl(section, key, text, line, ("tcp", 0), ("tls", 0))
            : new ServerAddress("localhost", 0, false, paths.Resolve(text));

    private static ServerAddress? ReadUrl(
        Section section, string key, string text, int line, (string Scheme, int Port) clear, (string Scheme, int Port) tls)
    {
        var example = clear.Port == 0 ? $"\"{clear.Scheme}://127.0.0.1:9100\"" : $"\"{tls.Scheme}://mail.acme.test\"";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != clear.Scheme && url.Scheme != tls.Scheme) || url.Host.Length == 0)
        {
            section.Report(line, key, $"\"{text}\" is not such a server; {example} is"
                + Section.Guess(text.Split(':')[0], [clear.Scheme, tls.Scheme]));
            return null;
        }

        if (url.AbsolutePath is not ("" or "/") || url.Query.Length > 0 || url.Fragment.Length > 0 || url.UserInfo.Length > 0)
        {
            section.Report(line, key, $"\"{text}\" says more than the server: only host and port belong here");
            return null;
        }

        var isTls = url.Scheme == tls.Scheme;
        var port = url.Port > 0 ? url.Port : isTls ? tls.Port : clear.Port;
        if (port == 0)
        {
            section.Report(line, key, $"\"{text}\" needs a port; {example} has one");
            return null;
        }

        return new ServerAddress(url.IdnHost.Trim('[', ']'), port, isTls);
    }

    private static ServerTrust ReadTrust(Section section, ConfiguredFiles paths)
    {
        var ca = section.Text("tls_ca") is { } file ? paths.MustExist(section, "tls_ca", file) : null;
        try
        {
            if (File.Exists(ca) && AuthorityFile.Read(ca).Count == 0)
            {
                section.Report("tls_ca", $"there is no certificate in {ca}");
            }
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            section.Report("tls_ca", $"{ca} cannot be read as PEM certificates: {exception.Message}");
        }

        return new ServerTrust(ca, section.Text("tls_name"));
    }

    private static void CheckTrust(Section section, bool tls, string when)
    {
        foreach (var key in (string[])["tls_ca", "tls_name"])
        {
            if (section.Has(key) && !tls)
            {
                section.Report(key, $"is only valid with {when}");
            }
        }
    }

    private static LoginAddressOptions ReadAddresses(Section section)
    {
        var domain = section.Text("domain");
        if (domain is not null && !MailboxParser.TryParse("x@" + domain, out _))
        {
            section.Report("domain", $"\"{domain}\" is not a domain name");
        }

        return new LoginAddressOptions
        {
            Domain = domain?.ToLowerInvariant(),
            LoginIsAddress = section.Flag("login_is_address", true),
            Templates = [.. section.Texts("address_template").Where(text => IsTemplate(section, text.Text, text.Line)).Select(text => text.Text)],
        };
    }

    private static bool IsTemplate(Section section, string text, int line)
    {
        var filled = text.Replace(LoginAddressOptions.LocalPlace, "jane", StringComparison.Ordinal)
            .Replace(LoginAddressOptions.DomainPlace, "acme.test", StringComparison.Ordinal);
        var login = text.Contains(LoginAddressOptions.LoginPlace, StringComparison.Ordinal);
        var mine = login || text.Contains(LoginAddressOptions.LocalPlace, StringComparison.Ordinal);
        var address = ((string[])["jane", "jane@acme.test"]).Any(name =>
            MailboxParser.TryParse(filled.Replace(LoginAddressOptions.LoginPlace, name, StringComparison.Ordinal), out _));
        if (!mine || !address)
        {
            section.Report(line, "address_template", mine
                ? $"\"{text}\" makes no address; \"{{local}}@acme.test\" does: {{login}}, {{local}} and {{domain}} stand for parts of the login"
                : $"\"{text}\" would give everybody the same address: put {{login}} or {{local}} in it");
        }

        return mine && address;
    }

    private static string? ReadService(Section section)
    {
        var service = section.Text("service");
        if (service is not null && !service.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            section.Report("service", $"\"{service}\" is not a name of a service; \"smtp\" is");
            return null;
        }

        return service;
    }
}
