using System.Globalization;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Values;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>A [[route]] entry.</summary>
internal static class RouteReader
{
    private const int DefaultPort = 25;
    private const int DefaultImplicitPort = 465;
    private const string Implicit = "smtps://";
    private static readonly string[] Targets = ["smarthost", "capture", "mx"];

    public static RouteOptions? Read(Section section, ConfiguredFiles paths)
    {
        var recipients = ReadRecipients(section);
        var smarthosts = section.Texts("smarthost").Select(host => ParseHost(section, host.Text, host.Line)).ToList();
        var capture = section.Text("capture");
        var mx = section.Flag("mx", false);
        CheckTarget(section, mx);
        var tls = section.Choice("tls", ("verify", RelayTls.Verify), ("encrypt", RelayTls.Encrypt), ("may", RelayTls.May), ("none", RelayTls.None));
        var login = section.Text("login");
        var password = paths.NamedSecret(section, "password");
        var route = new RouteOptions
        {
            Recipients = recipients,
            Smarthosts = [.. smarthosts.OfType<SmarthostAddress>()],
            Tls = tls ?? RelayTls.Verify,
            TlsName = section.Text("tls_name"),
            TlsCa = section.Text("tls_ca") is { } ca ? TlsReader.Authorities(section, paths, "tls_ca", ca) : null,
            Login = login,
            Password = password,
            Capture = capture is null ? null : paths.Resolve(section, "capture", capture),
            ConnectionsMax = section.Number("connections_max", new RouteOptions { Recipients = [] }.ConnectionsMax, 1, 10_000),
        };
        section.Finish();
        CheckTogether(section, route);
        return route;
    }

    private static ValueList<string> ReadRecipients(Section section)
    {
        if (!section.Has("recipients"))
        {
            section.Report(section.Line, "recipients", "is missing; for example recipients = [\"acme.test\"], or [\"*\"] for all");
        }

        var patterns = new List<string>();
        foreach (var (text, line) in section.Texts("recipients"))
        {
            var below = text.StartsWith('.') ? "." : "";
            if (text == "*")
            {
                patterns.Add(text);
            }
            else if (!text.Contains('@', StringComparison.Ordinal) && MailboxParser.TryParse("x@" + text[below.Length..], out var mailbox))
            {
                patterns.Add(below + mailbox!.AsciiDomain);
            }
            else
            {
                section.Report(line, "recipients", $"\"{text}\" is not a domain; \"acme.test\", \".acme.test\" (all below it) or \"*\" (all) are");
            }
        }

        return [.. patterns];
    }

    private static void CheckTarget(Section section, bool mx)
    {
        string[] targets = [.. Targets.Where(section.Has)];
        if (targets.Length != 1)
        {
            section.Report(section.Line, "", targets.Length == 0
                ? "does not say where the mail goes: set smarthost or capture"
                : $"names more than one place for the mail to go: {string.Join(" and ", targets)}");
        }

        if (mx)
        {
            section.Report("mx", "direct delivery to the recipients' own servers is not in this release; set a smarthost");
        }
        else if (targets is ["mx"])
        {
            section.Report("mx", "false does not say where the mail goes: set smarthost or capture");
        }
    }

    private static void CheckTogether(Section section, RouteOptions route)
    {
        var hasPassword = section.Has("password_file") || section.Has("password_env") || section.Has("password");
        if (route.Login is null == hasPassword)
        {
            section.Report(section.Line, route.Login is null ? "login" : "password_file", route.Login is null
                ? "is missing, though there is a password"
                : "is missing, though there is a login (or password_env)");
        }

        if (route.Login is not null && route.Tls == RelayTls.None)
        {
            section.Report("tls", "\"none\" with a login: a password is never sent without TLS");
        }

        if (route.Tls == RelayTls.None && route.Smarthosts.FirstOrDefault(host => host.ImplicitTls) is { } contrary)
        {
            section.Report("tls", $"\"none\" contradicts smtps:// of {contrary}");
        }

        foreach (var key in (string[])["tls_ca", "tls_name"])
        {
            if (section.Has(key) && route.Tls != RelayTls.Verify)
            {
                section.Report(key, "is only valid with tls = \"verify\"");
            }
        }
    }

    /// <summary>"host", "host:port", "[::1]:25", "smtps://host:465".</summary>
    private static SmarthostAddress? ParseHost(Section section, string text, int line)
    {
        var isImplicit = text.StartsWith(Implicit, StringComparison.Ordinal);
        var rest = isImplicit ? text[Implicit.Length..] : text;
        var port = isImplicit ? DefaultImplicitPort : DefaultPort;
        var colon = rest.LastIndexOf(':');
        var bracket = rest.StartsWith('[') ? rest.IndexOf(']', StringComparison.Ordinal) : -1;
        var host = rest;
        if (colon > bracket && (bracket >= 0 || rest.IndexOf(':', StringComparison.Ordinal) == colon))
        {
            host = rest[..colon];
            if (!int.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)
            {
                section.Report(line, "smarthost", $"\"{text}\": the port must be a number from 1 to 65535");
                return null;
            }
        }

        host = host.Trim('[', ']');
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            section.Report(line, "smarthost", $"\"{text}\" is not a server; \"inner.acme.test:25\" and \"smtps://inner.acme.test:465\" are");
            return null;
        }

        return new SmarthostAddress(host, port, isImplicit);
    }
}
