using Sallyport.Mail.Addressing;

namespace Sallyport.Server.Configuration.Binding;

/// <summary>[alert].</summary>
internal static class AlertReader
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static AlertOptions Read(Section section, ConfiguredFiles paths)
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
