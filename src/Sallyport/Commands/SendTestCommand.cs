using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Mail.Addressing;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>send-test: sends a message through the running server as a user does, and says what became of it.</summary>
internal static class SendTestCommand
{
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

            var (name, recipient) = (parsed.GetValue(login)!, parsed.GetValue(to)!);
            var sender = parsed.GetValue(from) ?? name;
            if (!MailboxParser.TryParse(sender, out _))
            {
                return Terminal.Fail($"\"{sender}\" is not a mail address; --from gives the sender's", Exit.Usage);
            }

            if (!MailboxParser.TryParse(recipient, out _))
            {
                return Terminal.Fail($"\"{recipient}\" is not a mail address; --to gives the recipient's", Exit.Usage);
            }

            return Terminal.ReadPassword(options, twice: false) is { } password
                ? await CommandContext.AtDoorAsync(options, async admin => Show(
                    await SendAsync(admin, new SendTestRequest(name, password, sender, recipient), cancel), name, parsed.GetValue(json)), cancel)
                : Exit.Usage;
        });
        return command;
    }

    private static async Task<SendTestReport> SendAsync(IAdmin admin, SendTestRequest request, CancellationToken cancel)
    {
        SendTestReport? report = null;
        await foreach (var part in admin.StreamAsync(SendTestOperations.Run, request, Stream.Null, cancel))
        {
            report = part.Report;
            Terminal.Progress(part.Step switch
            {
                "connecting" => "connecting to the server",
                "submitted" => "the server has taken the message; waiting for the next hop",
                _ => null,
            });
        }

        return report ?? throw new HttpRequestException("it broke off before the end");
    }

    private static int Show(SendTestReport report, string login, bool json)
    {
        var relayed = report.State == "relayed";
        if (json)
        {
            return Terminal.Json(report, AdminJson.Readable.SendTestReport, relayed);
        }

        if (report.Reply.Length > 0)
        {
            Terminal.Line(report.Reply);
        }

        Terminal.Line(Hints.Of(report, login));
        return relayed ? Exit.Done : Exit.Failed;
    }
}
