using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using QueueId = Sallyport.Mail.Smtp.QueueId;

namespace Sallyport.Commands;

/// <summary>hold: what is held, and what becomes of it.</summary>
internal static class HoldCommand
{
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create() => new("hold", "Mail that is held: list, release, drop, all of a login at once.")
    {
        CreateList(),
        CreateRelease(),
        CreateDrop(),
    };

    private static Command CreateList()
    {
        var login = new Option<string?>("--login") { Description = "Only of this login" };
        var command = new Command("list", "List what is held, by login and reason.") { login, Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var held = await admin.ListAsync(HoldOperations.List, new HeldQuery(parsed.GetValue(login)), cancel);
            return parsed.GetValue(Json) ? Terminal.Json(held, AdminJson.Readable.HeldViewArray) : Show(held);
        }, cancel));
        return command;
    }

    private static int Show(HeldView[] held)
    {
        if (held.Length == 0)
        {
            Terminal.Line("Nothing is held.");
            return Exit.Done;
        }

        var now = TimeProvider.System.GetUtcNow();
        foreach (var group in held)
        {
            Terminal.Line($"{(group.Login.Length > 0 ? group.Login : "reports of this server")}: {Count(group.Messages, "message")}, "
                + $"{Count(group.Recipients, "recipient")}, the oldest {Terminal.Age(now - group.Oldest)} old");
            Terminal.Line($"    {group.Reason}");
            foreach (var sample in group.Samples)
            {
                Terminal.Line($"    from {(sample.Sender.Length > 0 ? sample.Sender : "<>")} to {sample.Recipient}");
            }
        }

        Terminal.Line("`sallyport hold release LOGIN` releases it, `sallyport hold drop LOGIN` throws it away.");
        return Exit.Done;
    }

    private static Command CreateRelease()
    {
        var trust = new Option<bool>("--trust") { Description = "Treat this volume as normal for the login from now on" };
        var (names, all, command) = Change("release", "Let what is held go on, and its login send again.");
        command.Options.Add(trust);
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin => await ChangeAsync(
            admin, HoldOperations.Release,
            await SelectAsync(admin, parsed.GetValue(names)!, parsed.GetValue(all), parsed.GetValue(trust), cancel), "released",
            parsed.GetValue(Json), cancel), cancel));
        return command;
    }

    private static Command CreateDrop()
    {
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var (names, all, command) = Change("drop", "Throw away what is held; nobody is told.");
        command.Options.Add(yes);
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var selection = await SelectAsync(admin, parsed.GetValue(names)!, parsed.GetValue(all), false, cancel);
            return parsed.GetValue(yes) || await ConfirmAsync(admin, selection, cancel)
                ? await ChangeAsync(admin, HoldOperations.Drop, selection, "dropped", parsed.GetValue(Json), cancel)
                : Exit.Failed;
        }, cancel));
        return command;
    }

    private static (Argument<string[]> Names, Option<bool> All, Command Command) Change(string name, string description)
    {
        var names = new Argument<string[]>("what") { Description = "A login, or one or more queue ids", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "All that is held, of every login" };
        var command = new Command(name, description) { names, all, Config, Json };
        command.Validators.Add(result =>
        {
            var given = result.GetValue(names) ?? [];
            if (given.Length == 0 != result.GetValue(all))
            {
                result.AddError("name a login or queue ids, or give --all");
            }
            else if (given.Length > 1 && given.FirstOrDefault(one => !IsId(one)) is { } wrong)
            {
                result.AddError($"one login at a time, or queue ids: \"{wrong}\" is not a queue id");
            }
        });
        return (names, all, command);
    }

    /// <summary>One name may be a login that looks like a queue id: it is an id when the queue has such a message.</summary>
    private static async ValueTask<HeldSelection> SelectAsync(IAdmin admin, string[] names, bool all, bool trust, CancellationToken cancel)
    {
        var ids = !all && names.All(IsId) && (names.Length > 1
            || (await admin.CallAsync(QueueOperations.Show, new QueuedName(names[0]), cancel)).Message is not null);
        return all ? new(null, [], true, trust) : ids ? new(null, names, false, trust) : new(names[0], [], false, trust);
    }

    private static bool IsId(string text) => QueueId.TryParse(text.Trim().ToUpperInvariant(), out _);

    private static async Task<bool> ConfirmAsync(IAdmin admin, HeldSelection selection, CancellationToken cancel)
    {
        var messages = (long)selection.QueueIds.Length;
        if (messages == 0)
        {
            messages = (await admin.ListAsync(HoldOperations.List, new HeldQuery(selection.Login), cancel)).Sum(group => group.Messages);
        }

        if (messages == 0)
        {
            return true; // the answer says that there is nothing
        }

        var what = $"{Count(messages, "held message")}{(selection.Login is null ? "" : $" of {selection.Login}")}";
        if (Terminal.AsJson || Console.IsInputRedirected || Console.IsOutputRedirected)
        {
            Terminal.Fail($"this throws away {what}, and nobody is told: give --yes to do it");
            return false;
        }

        Console.Write(CleanWriter.Clean($"Throw away {what}? Nobody is told. [y/N] "));
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    private static async Task<int> ChangeAsync(
        IAdmin admin, AdminOperation<HeldSelection, HeldAnswer> change, HeldSelection selection, string what, bool json, CancellationToken cancel)
    {
        var (messages, recipients) = (0, 0);
        while (true)
        {
            var answer = await admin.CallAsync(change, selection, cancel);
            messages += answer.Messages;
            recipients += answer.Recipients;
            if (answer.More)
            {
                if (!json && !Console.IsErrorRedirected)
                {
                    await Console.Error.WriteLineAsync($"{messages} messages {what} so far");
                }

                continue;
            }

            var of = selection.Login is null ? "" : $" of {selection.Login}";
            var left = answer.Left > 0 ? $"; {answer.Left} just being relayed and left: try again in a moment" : "";
            var whole = messages > answer.Messages
                ? answer with
                {
                    Done = true,
                    Code = what == "released" ? AdminCodes.MessagesReleased : AdminCodes.MessagesDropped,
                    Message = $"{messages} messages{of} {what}{left}",
                    Messages = messages,
                    Recipients = recipients,
                }
                : answer;
            return json
                ? Terminal.Json(whole, AdminJson.Readable.HeldAnswer, whole.Done)
                : CommandContext.Tell(new AdminAnswer(whole.Done, whole.Code, whole.Message), json);
        }
    }

    private static string Count(long n, string thing) => $"{n} {thing}{(n == 1 ? "" : "s")}";
}
