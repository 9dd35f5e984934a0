using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Addressing;

namespace Sallyport.Server.Configuration;

/// <summary>[alert]: who is told of what cannot wait.</summary>
public sealed record AlertOptions
{
    /// <summary>Addresses alerts go to; they leave by the routes as all mail does.</summary>
    public ImmutableArray<string> Mail { get; init; } = [];

    /// <summary>In From; "postmaster@" and the hostname when null.</summary>
    public string? From { get; init; }

    /// <summary>An http or https address that is posted JSON.</summary>
    public Uri? Webhook { get; init; }

    /// <summary>Signs what is posted; read from the file or environment variable named in the configuration.</summary>
    public string? WebhookSecret { get; init; }

    /// <summary>For one whole post and its answer.</summary>
    public TimeSpan WebhookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Posts of one alert before it is given up; each wait is twice the last.</summary>
    public int WebhookTries { get; init; } = 5;

    /// <summary>What happens again within so long is counted, and told with the next alert of its kind.</summary>
    public TimeSpan CoolDown { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whom a user is told to ask.</summary>
    public string Contact => Mail.IsDefaultOrEmpty ? "your mail administrator" : Mail[0];

    // The compiler's version would print the secret.
    public override string ToString() => $"alerts to {string.Join(',', Mail)} {Webhook?.Host}";
}

/// <summary>[metrics]: numbers for Prometheus.</summary>
/// <param name="Address">Null: off.</param>
public sealed record MetricsOptions(IPEndPoint? Address = null);

/// <summary>[alert] and [metrics].</summary>
internal static class AlertReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static AlertOptions ReadAlert(Section section, ConfiguredFiles paths)
    {
        var d = new AlertOptions();
        var options = new AlertOptions
        {
            Mail = [.. section.Texts("mail").Where(one => IsAddress(section, "mail", one)).Select(one => one.Text)],
            From = section.Text("from") is { } from && IsAddress(section, "from", (from, section.LineOf("from"))) ? from : null,
            Webhook = ReadWebhook(section),
            WebhookSecret = paths.NamedSecret(section, "webhook_secret"),
            WebhookTimeout = section.Time("webhook_timeout", d.WebhookTimeout, Second, TimeSpan.FromMinutes(5)),
            WebhookTries = section.Number("webhook_tries", d.WebhookTries, 1, 20),
            CoolDown = section.Time("cool_down", d.CoolDown, Second, TimeSpan.FromDays(7)),
        };
        if (!section.Has("webhook") && (section.Has("webhook_secret_file") || section.Has("webhook_secret_env")))
        {
            section.Report(section.Line, "webhook", "is missing, though there is a secret to sign what is posted");
        }

        section.Finish();
        return options;
    }

    public static MetricsOptions ReadMetrics(Section section, ConfiguredFiles paths)
    {
        var text = section.Text("address");
        section.Finish();
        if (text is null)
        {
            return new MetricsOptions();
        }

        if (!IPEndPoint.TryParse(text, out var address) || !text.Contains(':', StringComparison.Ordinal) || address.Port == 0)
        {
            section.Report("address", $"\"{text}\" is not an IP address and a port; for example \"127.0.0.1:9464\"");
            return new MetricsOptions();
        }

        if (!IPAddress.IsLoopback(address.Address))
        {
            paths.Warn(section, "address", $"{address} is open to the network, without TLS and without a login: let only your Prometheus reach it");
        }

        return new MetricsOptions(address);
    }

    private static bool IsAddress(Section section, string key, (string Text, int Line) one)
    {
        if (MailboxParser.TryParse(one.Text, out var mailbox) && !mailbox!.NeedsSmtpUtf8)
        {
            return true;
        }

        section.Report(one.Line, key, $"\"{one.Text}\" is not a mail address that every server takes; \"postmaster@acme.test\" is");
        return false;
    }

    private static Uri? ReadWebhook(Section section)
    {
        if (section.Text("webhook") is not { } text)
        {
            return null;
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
            && uri.UserInfo.Length == 0)
        {
            return uri;
        }

        section.Report("webhook", "is not an http:// or https:// address without a login in it; for example \"https://chat.acme.test/hooks/mail\"");
        return null;
    }
}
