using System.CommandLine;
using System.Globalization;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using Id = Sallyport.Mail.Smtp.QueueId;

namespace Sallyport.Commands;

/// <summary>queue: what waits, why, and what to do with it.</summary>
internal static class QueueCommand
{
    private const int MostShown = 10_000;
    private const int UsuallyShown = 100;
    private static readonly string[] States = ["due", "progress", "held"];

    private static readonly Argument<string> QueueId = new("queue-id") { Description = "As the log and `queue list` show it" };
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create() => new("queue", "What waits to be relayed: list, show, hold, release, retry, remove.")
    {
        CreateList(),
        CreateShow(),
        Change("hold", QueueOperations.Hold, "Keep a message from being relayed until it is released."),
        Change("release", QueueOperations.Release, "Let a held message go on."),
        Change("retry", QueueOperations.Retry, "Try a message now."),
        Change("remove", QueueOperations.Remove, "Throw a message away; its sender is not told."),
    };

    private static Command CreateList()
    {
        var state = new Option<string?>("--state") { Description = "Only messages with a recipient that is due, in progress or held" };
        state.HelpName = string.Join('|', States);
        var login = new Option<string?>("--login") { Description = "Only messages this login submitted" };
        var sender = new Option<string?>("--sender") { Description = "Only envelope senders that contain this text" };
        var recipient = new Option<string?>("--recipient") { Description = "Only messages with a recipient that contains this text" };
        var after = new Option<string?>("--after") { Description = "Go on after this queue id" };
        var most = UsageErrors.Number("--most", "Show at most so many", UsuallyShown, 1, MostShown);
        var command = new Command("list", "List the messages in the queue, oldest first.")
        {
            state, login, sender, recipient, after, most, Config, Json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(state) is { } word && !States.Contains(word))
            {
                result.AddError($"--state must be due, progress or held, not \"{word}\"");
            }

            if (result.GetValue(after) is { } id && !TryParse(id, out _))
            {
                result.AddError($"--after: {NotAnId(id)}");
            }
        });
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var query = new QueueQuery(parsed.GetValue(state), parsed.GetValue(login), parsed.GetValue(sender), parsed.GetValue(recipient),
                parsed.GetValue(after), parsed.GetValue(most));
            var messages = (await admin.PageAsync(QueueOperations.List, query, cancel)).Items;
            return parsed.GetValue(Json)
                ? Terminal.Json(messages, AdminJson.Readable.QueuedViewArray)
                : Show(messages, await admin.CallAsync(StatusOperations.Show, EmptyRequest.Instance, cancel));
        }, cancel));
        return command;
    }

    private static int Show(QueuedView[] messages, ServerStatus status)
    {
        if (messages.Length == 0)
        {
            Terminal.Line(status.Messages == 0 ? "The queue is empty." : $"No message in the queue matches ({status.Messages} in all).");
            return Exit.Done;
        }

        var now = TimeProvider.System.GetUtcNow();
        var table = Terminal.NewTable("Queue id", "Age", "Size", "Sender", "Waiting for", "Why");
        foreach (var message in messages)
        {
            var waiting = message.Recipients.Where(r => r.State is "due" or "progress" or "held").ToList();
            table.Row(Terminal.Cell(message.QueueId), Terminal.Cell(Terminal.Age(now - message.ReceivedAt)),
                Terminal.Cell(Terminal.Size(message.Bytes)), Terminal.Cell(message.Sender), Terminal.Cell(Several(waiting)),
                Terminal.Cell(Why(waiting)));
        }

        Terminal.Write(table);
        Terminal.Line($"{messages.Length} of {status.Messages} messages; recipients: "
            + $"{status.Due} due, {status.InProgress} in progress, {status.Held} held; "
            + Terminal.Size(status.Bytes));
        return Exit.Done;
    }

    private static string Several(List<RecipientView> recipients) =>
        recipients.Count == 0 ? "" : recipients[0].Recipient + (recipients.Count > 1 ? $" and {recipients.Count - 1} more" : "");

    private static string Why(List<RecipientView> recipients) => recipients.FirstOrDefault() switch
    {
        null => "",
        { State: "held" } => "held",
        { LastReply.Length: > 0 } tried => tried.LastReply,
        { State: "progress" } => "being relayed",
        _ => "waits for its first attempt",
    };

    private static Command CreateShow()
    {
        var command = new Command("show", "Show a message and each of its recipients.") { QueueId, Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            if (!TryParse(parsed.GetValue(QueueId)!, out var id))
            {
                return Terminal.Fail(NotAnId(parsed.GetValue(QueueId)!), Exit.Usage);
            }

            if ((await admin.CallAsync(QueueOperations.Show, new QueuedName(id.ToString()), cancel)).Message is not { } message)
            {
                return Terminal.Fail($"no message {id} is in the queue: it was relayed, reported or removed; the log says which");
            }

            return parsed.GetValue(Json) ? Terminal.Json(message, AdminJson.Readable.QueuedView) : Show(message);
        }, cancel));
        return command;
    }

    private static int Show(QueuedView message)
    {
        Terminal.Line($"Queue id    {message.QueueId}");
        Terminal.Line($"Received    {Time(message.ReceivedAt)} from {message.Client}, session {message.Session}");
        Terminal.Line($"Login       {(message.Login.Length > 0 ? Clean(message.Login) : "none: a report of this server")}");
        Terminal.Line($"Sender      {Clean(message.Sender)}");
        Terminal.Line($"Message-ID  {Clean(message.MessageId)}");
        Terminal.Line($"Size        {Terminal.Size(message.Bytes)}");
        if (message.HoldReason is { } reason)
        {
            Terminal.Line($"Held        {Clean(reason)}");
        }

        var table = Terminal.NewTable("Recipient", "State", "Attempts", "Next attempt", "Next hop", "Last reply");
        foreach (var r in message.Recipients)
        {
            table.Row(Terminal.Cell(r.Recipient), Terminal.Cell(r.State), Terminal.Cell(r.Attempts.ToString(CultureInfo.InvariantCulture)),
                Terminal.Cell(r.NextAttemptAt is { } at ? Time(at) : ""), Terminal.Cell(r.NextHop ?? "none"), Terminal.Cell(r.LastReply));
        }

        Terminal.Write(table);
        return Exit.Done;
    }

    private static Command Change(string name, AdminOperation<QueuedName, AdminAnswer> change, string description)
    {
        var ids = new Argument<string[]>("queue-id") { Description = "One or more queue ids", Arity = ArgumentArity.OneOrMore };
        var command = new Command(name, description) { ids, Config, Json };
        command.SetAction((parsed, cancel) =>
        {
            var wrong = parsed.GetValue(ids)!.Where(id => !TryParse(id, out _)).Select(NotAnId).ToList();
            return wrong.Count > 0
                ? Task.FromResult(Terminal.Fail(string.Join("; ", wrong), Exit.Usage))
                : CommandContext.AtDoorAsync(parsed.GetValue(Config)!, admin => ChangeAllAsync(admin, change, parsed.GetValue(ids)!, cancel), cancel);
        });
        return command;
    }

    private static async Task<int> ChangeAllAsync(
        IAdmin admin, AdminOperation<QueuedName, AdminAnswer> change, IEnumerable<string> ids, CancellationToken cancel)
    {
        var reports = new List<ChangeReport>();
        foreach (var name in ids.Select(id => id.Trim().ToUpperInvariant()).Distinct())
        {
            var answer = await admin.CallAsync(change, new QueuedName(name), cancel);
            reports.Add(new(name, answer.Done, answer.Code, answer.Message));
        }

        var done = reports.TrueForAll(report => report.Done);
        if (Terminal.AsJson)
        {
            return Terminal.Json([.. reports], CommandJson.Readable.ChangeReportArray, done);
        }

        foreach (var report in reports)
        {
            var message = Hints.With(report.Message, report.Code, report.QueueId);
            _ = report.Done ? Say(message) : Terminal.Fail(message);
        }

        return done ? Exit.Done : Exit.Failed;
    }

    private static int Say(string text)
    {
        Terminal.Line(text);
        return Exit.Done;
    }

    /// <summary>As people type it: letters of either case.</summary>
    private static bool TryParse(string text, out Id id) => Id.TryParse(text.Trim().ToUpperInvariant(), out id);

    private static string NotAnId(string text) => $"\"{Clean(text)}\" is not a queue id; one is 6 to 32 letters and digits, as `queue list` shows it";

    private static string Clean(string text) => Server.Telemetry.LogText.Clean(text);

    private static string Time(DateTimeOffset at) => at <= DateTimeOffset.UnixEpoch
        ? "now"
        : at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + "Z";
}
