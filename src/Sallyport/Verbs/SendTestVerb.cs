using System.CommandLine;
using System.Net;
using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server;
using Sallyport.Server.Admin;
using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;
using Command = System.CommandLine.Command;

namespace Sallyport.Verbs;

/// <summary>send-test: logs in at a listener of the running server as a user does, sends a message, and watches it leave.</summary>
internal static class SendTestVerb
{
    private static readonly TimeSpan WatchMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(200);

    public static Command Create()
    {
        var login = new Option<string>("--login") { Description = "The login to send with", Required = true };
        var from = new Option<string?>("--from") { Description = "The sender's address; the login when it is one" };
        var to = new Option<string>("--to") { Description = "The recipient's address", Required = true };
        var config = Site.ConfigOption();
        var json = Site.JsonOption();
        var command = new Command(
            "send-test", "Send a message through the running server; the password is asked for, or the first line of standard input.")
        {
            login, from, to, config, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            if (Terminal.ReadPassword(twice: false) is not { } password || Site.Load(parsed.GetValue(config)!) is not { } options)
            {
                return Exit.Usage;
            }

            var sender = parsed.GetValue(from) ?? parsed.GetValue(login)!;
            if (!MailboxParser.TryParse(sender, out var reversePath) || !MailboxParser.TryParse(parsed.GetValue(to), out var forwardPath))
            {
                return Terminal.Fail("--from (or a login that is an address) and --to must be mail addresses", Exit.Usage);
            }

            var report = await SendAsync(options, parsed.GetValue(login)!, password, reversePath!, forwardPath!, cancel);
            return parsed.GetValue(json) ? Terminal.Json(report, VerbJson.Readable.SendTestReport, report.Accepted) : Show(report);
        });
        return command;
    }

    private static int Show(SendTestReport report)
    {
        Terminal.Line(report.Reply);
        Terminal.Line(report.Outcome);
        return report.Accepted ? Exit.Done : Exit.Failed;
    }

    private static async Task<SendTestReport> SendAsync(
        ServerOptions options, string login, string password, Mailbox from, Mailbox to, CancellationToken cancel)
    {
        var listener = options.Listeners[0];
        var address = listener.Address.Address;
        var host = address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address;
        var server = new SmarthostAddress(host.ToString(), listener.Address.Port, listener.Tls == ListenerTls.Implicit);
        var route = new RouteOptions
        {
            Recipients = ["*"],
            Tls = listener.Tls == ListenerTls.None ? RelayTls.None : RelayTls.Encrypt,
            Login = login,
            Password = password,
        };
        try
        {
            await using var connection = await RelayConnection.OpenAsync(
                server, route, options.Hostname, options.Timeouts, TimeProvider.System, cancel);
            var content = Encoding.UTF8.GetBytes($"From: {from}\r\nTo: {to}\r\nSubject: Sallyport test message\r\n\r\n"
                + $"Sent with `sallyport send-test` through {options.Hostname}, with {connection.Tls}, login by {connection.Mechanism}.\r\n");
            var mail = new RelayMail(new ReversePath(from), [new RelayRecipient(0, new ForwardPath(to), DsnNotify.Unspecified, null)],
                false, from.NeedsSmtpUtf8 || to.NeedsSmtpUtf8, null, null, content.Length);
            var transaction = await connection.SendAsync(mail, () => Once(content), cancel);
            var verdict = transaction.Verdicts.Single();
            if (verdict.Kind != VerdictKind.Relayed)
            {
                return new(false, verdict.Reply.ToString(), null, "The message was not taken.");
            }

            var id = verdict.Reply.Lines[0].Split(' ').FirstOrDefault(word => QueueId.TryParse(word, out _));
            return new(true, verdict.Reply.ToString(), id, id is null ? "Taken." : await WatchAsync(options, id, cancel));
        }
        catch (HostException exception)
        {
            return new(false, exception.Reply.ToString(), null, "The message was not sent.");
        }
    }

    /// <summary>Looks until the message has left the queue or has been tried.</summary>
    private static async Task<string> WatchAsync(ServerOptions options, string id, CancellationToken cancel)
    {
        await using var admin = await AdminDoor.OpenAsync(options, TimeProvider.System, cancel);
        var begun = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(begun) < WatchMax)
        {
            var message = (await admin.CallAsync(QueueOperations.Show, new QueuedName(id), cancel)).Message;
            if (message is null)
            {
                return "It has left the queue: relayed, or, if the next hop refused it, reported to the sender. The log says which.";
            }

            if (message.Recipients.FirstOrDefault(r => r.Attempts > 0) is { } tried)
            {
                return $"It waits after {tried.Attempts} attempt(s): {tried.LastReply}";
            }

            await Task.Delay(Between, TimeProvider.System, cancel);
        }

        return $"It is still on its way; `sallyport queue show {id}` shows how far.";
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Once(byte[] content)
    {
        await Task.CompletedTask;
        yield return content;
    }
}
