using System.CommandLine;
using System.Globalization;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>app-password: one password per device.</summary>
internal static class AppPasswordCommand
{
    private static readonly Argument<string> Login = new("login") { Description = "What the user logs in with" };
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create() => new("app-password", "One password per device, generated here and shown once: add, list, revoke.")
    {
        CreateAdd(),
        CreateList(),
        CreateRevoke(),
    };

    private static Command CreateAdd()
    {
        var label = new Option<string>("--label", "-l") { Description = "What the device is called", Required = true, HelpName = "LABEL" };
        var expires = new Option<string?>("--expires") { Description = "How long it lasts, like 90d; for good when not given", HelpName = "TIME" };
        var networks = Many("--network", "Where it may come from: an address or \"192.0.2.0/24\"; anywhere when not given", "NETWORK");
        var senders = Many("--sender", "What of the login's it may send as, an address or a pattern; all of it when not given", "ADDRESS");
        var command = new Command("add", "Make an app password and show it, this once.")
        {
            Login, label, expires, networks, senders, Config, Json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var life = parsed.GetValue(expires);
            if (life is not null && AppPasswordRules.Life(life) is null)
            {
                return Terminal.Fail("--expires must be a time like \"12h\" or \"90d\", at most 3650d", Exit.Usage);
            }

            var wanted = new NewAppPassword(parsed.GetValue(Login)!, parsed.GetValue(label)!, life is null ? null : AppPasswordRules.Life(life),
                parsed.GetValue(networks) ?? [], parsed.GetValue(senders) ?? []);
            return AppPasswordRules.FindMistake(wanted) is { } mistake
                ? Terminal.Fail(mistake, Exit.Usage)
                : await CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
                    Show(await admin.CallAsync(AppPasswordOperations.Add, wanted, cancel), wanted.Login, parsed.GetValue(Json)), cancel);
        });
        return command;
    }

    private static int Show(MadeAppPassword made, string login, bool json)
    {
        if (json)
        {
            return Terminal.Json(made, AdminJson.Readable.MadeAppPassword, made.Done);
        }

        if (!made.Done)
        {
            return Terminal.Fail(Hints.With(made.Message, made.Code, made.Login ?? login));
        }

        Terminal.Line($"Login     {made.Login}");
        Terminal.Line($"Password  {made.Secret}");
        Terminal.Line(made.Message + ". The password is not shown again.");
        return Exit.Done;
    }

    private static Command CreateList()
    {
        var login = new Argument<string?>("login") { Description = "Only this login's", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("list", "List app passwords and when they were last used.") { login, Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var all = await admin.ListAsync(AppPasswordOperations.List, new AppPasswordQuery(parsed.GetValue(login)), cancel);
            return parsed.GetValue(Json) ? Terminal.Json(all, AdminJson.Readable.AppPasswordViewArray) : Show(all);
        }, cancel));
        return command;
    }

    private static int Show(AppPasswordView[] all)
    {
        if (all.Length == 0)
        {
            Terminal.Line("There are no app passwords; `sallyport app-password add LOGIN --label PHONE` makes one.");
            return Exit.Done;
        }

        var table = Terminal.NewTable("Login", "Id", "Label", "Made", "Last used", "Used from", "Only");
        foreach (var one in all)
        {
            table.Row(Terminal.Cell(one.Login), Terminal.Cell(one.Id), Terminal.Cell(one.Label), Terminal.Cell(Day(one.CreatedAt)),
                Terminal.Cell(one.LastUsedAt is { } at
                    ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + "Z" : "never"),
                Terminal.Cell(one.LastUsedFrom ?? ""), Terminal.Cell(Only(one), one.Expired ? CellColor.Red : CellColor.None));
        }

        Terminal.Write(table);
        return Exit.Done;
    }

    private static Command CreateRevoke()
    {
        var id = new Argument<string?>("id") { Description = "Which, as `list` shows it", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "All of the login" };
        var command = new Command("revoke", "Take app passwords back: the next login and the next message are refused.")
        {
            Login, id, all, Config, Json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var choice = new AppPasswordChoice(parsed.GetValue(Login)!, parsed.GetValue(all) ? null : parsed.GetValue(id));
            return parsed.GetValue(all) == parsed.GetValue(id) is not null
                ? Terminal.Fail("which one? Give its id, or --all for all of the login", Exit.Usage)
                : await CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
                    CommandContext.Tell(
                        await admin.CallAsync(AppPasswordOperations.Revoke, choice, cancel), parsed.GetValue(Json), choice.Login), cancel);
        });
        return command;
    }

    private static Option<string[]> Many(string name, string description, string help) =>
        new(name) { Description = description + ". May be given more than once", HelpName = help };

    /// <summary>What bounds it: "until 2027-11-24, from 192.0.2.0/24, as info@acme.test"; nothing when nothing does.</summary>
    private static string Only(AppPasswordView one) => string.Join(", ", new[]
    {
        one.ExpiresAt is { } end ? (one.Expired ? "expired " : "until ") + Day(end) : "",
        one.Networks.Length == 0 ? "" : "from " + string.Join(" or ", one.Networks),
        one.Senders.Length == 0 ? "" : "as " + string.Join(" or ", one.Senders),
    }.Where(part => part.Length > 0));

    private static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
