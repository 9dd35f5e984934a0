using System.CommandLine;
using System.Net;
using System.Text;
using Sallyport.Interaction;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Command = System.CommandLine.Command;

namespace Sallyport.Commands;

/// <summary>send-test: logs in at a listener of the running server as a user does, sends a message, and says what became of it.</summary>
internal static class SendTestCommand
{
    private static readonly TimeSpan WatchMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);

    public static Command Create()
    {
        var login = new Option<string>("--login") { Description = "The login to send with", Required = true };
        var from = new Option<string?>("--from") { Description = "The sender's address; the login when it is one" };
        var to = new Option<string>("--to") { Description = "The recipient's address", Required = true };
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        var command = new Command(
            "send-test", "Send a message through the running server; the password is asked for, or the first line of standard input.")
        {
            login, from, to, config, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            if (CommandContext.Load(parsed.GetValue(config)!) is not { } options)
            {
                return Exit.Usage;
            }

            var sender = parsed.GetValue(from) ?? parsed.GetValue(login)!;
            if (!MailboxParser.TryParse(sender, out var reversePath))
            {
                return Terminal.Fail($"\"{sender}\" is not a mail address; --from gives the sender's", Exit.Usage);
            }

            if (!MailboxParser.TryParse(parsed.GetValue(to), out var forwardPath))
            {
                return Terminal.Fail($"\"{parsed.GetValue(to)}\" is not a mail address; --to gives the recipient's", Exit.Usage);
            }

            if (Terminal.ReadPassword(options, twice: false) is not { } password)
            {
                return Exit.Usage;
            }

            var report = await SendAsync(options, parsed.GetValue(login)!, password, reversePath!, forwardPath!, cancel);
            return parsed.GetValue(json)
                ? Terminal.Json(report, CommandJson.Readable.SendTestReport, report.State == "relayed")
                : Show(report);
        });
        return command;
    }

    private static int Show(SendTestReport report)
    {
        if (report.Reply.Length > 0)
        {
            Terminal.Line(report.Reply);
        }

        Terminal.Line(report.Outcome);
        return report.State == "relayed" ? Exit.Done : Exit.Failed;
    }

    private static async Task<SendTestReport> SendAsync(
        ServerOptions options, string login, string password, Mailbox from, Mailbox to, CancellationToken cancel)
    {
        try
        {
            var (verdict, id) = await SubmitAsync(options, login, password, from, to, cancel);
            return verdict.Kind != VerdictKind.Relayed
                ? new(false, "refused", verdict.Reply.ToString(), null, null, "The server did not take the message.")
                : id is null
                    ? new(true, "unknown", verdict.Reply.ToString(), null, null, "Taken, under no queue id that could be watched.")
                    : await WatchAsync(options, verdict.Reply, id, cancel);
        }
        catch (SubmissionException exception)
        {
            return new(false, "refused", exception.Reply?.ToString() ?? "", null, null, exception.Message);
        }
    }

    private static async Task<(RelayVerdict Verdict, string? Id)> SubmitAsync(
        ServerOptions options, string login, string password, Mailbox from, Mailbox to, CancellationToken cancel)
    {
        var listener = options.Listeners[0];
        var host = listener.Address.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : listener.Address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : listener.Address.Address;
        await using var client = await SubmissionClient.OpenAsync(
            new IPEndPoint(host, listener.Address.Port), listener.Tls, options.Hostname, (login, password), cancel);
        var how = client.Tls.Length > 0 ? client.Tls : "no TLS";
        var content = Encoding.UTF8.GetBytes($"From: {from}\r\nTo: {to}\r\nSubject: Sallyport test message\r\n\r\n"
            + $"Sent with `sallyport send-test` through {options.Hostname}, with {how}, login by {client.Mechanism}.\r\n");
        var mail = new RelayMail(new ReversePath(from), [new RelayRecipient(0, new ForwardPath(to), DsnNotify.Unspecified, null)],
            false, from.NeedsSmtpUtf8 || to.NeedsSmtpUtf8, null, null, content.Length);
        var verdict = await client.SendAsync(mail, content, cancel);
        return (verdict, verdict.Reply.Lines[0].Split(' ').FirstOrDefault(word => QueueId.TryParse(word, out _)));
    }

    /// <summary>Looks until the server has something to say about the recipient.</summary>
    private static async Task<SendTestReport> WatchAsync(ServerOptions options, Reply taken, string id, CancellationToken cancel)
    {
        await using var admin = await AdminDoor.OpenAsync(options, TimeProvider.System, cancel);
        var begun = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(begun) < WatchMax)
        {
            var gone = (await admin.CallAsync(QueueOperations.Show, new QueuedName(id), cancel)).Message is null;
            if ((await admin.CallAsync(QueueOperations.Outcome, new QueuedName(id), cancel)).FirstOrDefault() is { } outcome)
            {
                return new(true, outcome.State, taken.ToString(), id, outcome.NextHop, Say(outcome, id));
            }

            if (gone)
            {
                return new(true, "removed", taken.ToString(), id, null,
                    "It has left the queue, and the server remembers no outcome: the log knows more.");
            }

            await Task.Delay(Between, TimeProvider.System, cancel);
        }

        return new(true, "unknown", taken.ToString(), id, null, $"It is still on its way; `sallyport queue show {id}` shows how far.");
    }

    private static string Say(OutcomeView outcome, string id) => outcome.State switch
    {
        "relayed" => $"Relayed to {outcome.NextHop}: {outcome.Reply}",
        "failed" => $"Failed: {outcome.NextHop} will not take it, and the sender gets a report: {outcome.Reply}",
        "held" => $"Held: {outcome.Reply}. `sallyport queue release {id}` lets it go.",
        _ => $"Deferred, and tried again{(outcome.NextAttemptAt is { } at ? $" at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z" : "")}: {outcome.Reply}",
    };
}
