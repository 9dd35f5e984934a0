using System.CommandLine;
using System.Globalization;
using Sallyport.Server.Admin;

namespace Sallyport.Verbs;

/// <summary>queue: what waits, why, and what to do with it.</summary>
internal static class QueueVerb
{
    private static readonly Argument<string> QueueId = new("queue-id") { Description = "As the log and `queue list` show it" };
    private static readonly Option<string> Config = Site.ConfigOption();
    private static readonly Option<bool> Json = Site.JsonOption();

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
        state.AcceptOnlyFromAmong("due", "progress", "held");
        var login = new Option<string?>("--login") { Description = "Only messages this login submitted" };
        var sender = new Option<string?>("--sender") { Description = "Only envelope senders that contain this text" };
        var recipient = new Option<string?>("--recipient") { Description = "Only messages with a recipient that contains this text" };
        var after = new Option<string?>("--after") { Description = "Go on after this queue id" };
        var most = new Option<int>("--most") { Description = "Show at most so many", DefaultValueFactory = _ => 100 };
        var command = new Command("list", "List the messages in the queue, oldest first.")
        {
            state, login, sender, recipient, after, most, Config, Json,
        };
        command.SetAction((parsed, cancel) => Site.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var query = new QueueQuery(parsed.GetValue(state), parsed.GetValue(login), parsed.GetValue(sender), parsed.GetValue(recipient),
                parsed.GetValue(after), parsed.GetValue(most));
            var messages = await admin.CallAsync(QueueOperations.List, query, cancel);
            return parsed.GetValue(Json)
                ? Terminal.Json(messages, AdminJson.Readable.QueuedViewArray)
                : Show(messages, await admin.CallAsync(StatusOperations.Show, Everything.Asked, cancel));
        }, cancel));
        return command;
    }

    private static int Show(QueuedView[] messages, ServerStatus status)
    {
        if (messages.Length == 0)
        {
            Terminal.Line("The queue has no such message.");
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

        Terminal.Out.Write(table);
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
        command.SetAction((parsed, cancel) => Site.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var id = parsed.GetValue(QueueId)!;
            if ((await admin.CallAsync(QueueOperations.Show, new QueuedName(id), cancel)).Message is not { } message)
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

        Terminal.Out.Write(table);
        return Exit.Done;
    }

    private static Command Change(string name, AdminOperation<QueuedName, AdminAnswer> change, string description)
    {
        var ids = new Argument<string[]>("queue-id") { Description = "One or more queue ids", Arity = ArgumentArity.OneOrMore };
        var command = new Command(name, description) { ids, Config, Json };
        command.SetAction((parsed, cancel) => Site.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var worst = Exit.Done;
            foreach (var id in parsed.GetValue(ids)!)
            {
                worst = Math.Max(worst, Site.Tell(await admin.CallAsync(change, new QueuedName(id), cancel), parsed.GetValue(Json)));
            }

            return worst;
        }, cancel));
        return command;
    }

    private static string Clean(string text) => Server.Telemetry.LogText.Clean(text);

    private static string Time(DateTimeOffset at) => at <= DateTimeOffset.UnixEpoch
        ? "now"
        : at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + "Z";
}
