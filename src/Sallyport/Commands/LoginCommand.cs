using System.CommandLine;
using System.Globalization;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;

namespace Sallyport.Commands;

/// <summary>login: which logins, of whatever directory, may not send.</summary>
internal static class LoginCommand
{
    private static readonly Argument<string> Login = new("login") { Description = "What the user logs in with, of any directory" };
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create() => new("login", "Suspend and resume logins (any directory): list, show, suspend, resume.")
    {
        CreateList(),
        CreateShow(),
        CreateSuspend(),
        CreateResume(),
    };

    private static Command CreateList()
    {
        var command = new Command("list", "List the logins that are suspended, or stopped by the breaker.") { Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var logins = await admin.ListAsync(LoginOperations.List, ListRequest.All, cancel);
            if (parsed.GetValue(Json))
            {
                return Terminal.Json(logins, AdminJson.Readable.SuspensionViewArray);
            }

            if (logins.Length == 0)
            {
                Terminal.Line("No login is kept from sending.");
                return Exit.Done;
            }

            var table = Terminal.NewTable("Login", "State", "Since", "Until", "Why");
            foreach (var login in logins)
            {
                table.Row(Terminal.Cell(login.Login), Terminal.Cell(login.State), Terminal.Cell(Time(login.Since)),
                    Terminal.Cell(login.Until is { } until ? Time(until) : "resumed"), Terminal.Cell(login.Why));
            }

            Terminal.Write(table);
            return Exit.Done;
        }, cancel));
        return command;
    }

    private static Command CreateShow()
    {
        var command = new Command("show", "Show what is usual for a login, what it does now, and how far it is from being stopped.")
        {
            Login, Config, Json,
        };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var login = await admin.CallAsync(LoginOperations.Show, new UserName(parsed.GetValue(Login)!), cancel);
            return parsed.GetValue(Json) ? Terminal.Json(login, AdminJson.Readable.LoginView) : Show(login);
        }, cancel));
        return command;
    }

    private static int Show(LoginView login)
    {
        Terminal.Line($"Login      {login.Login}");
        Terminal.Line($"State      {login.State switch
        {
            "suspended" => "suspended: it can log in but cannot send",
            "stopped" => "stopped by the breaker: what it sends is held",
            "exempt" => "free, and never stopped: [breaker] or its entry in [[breaker.for]] says so",
            _ => "free",
        }}{(login.Why is { Length: > 0 } why ? $" ({why})" : "")}");
        Terminal.Line($"Held       {Counted(login.HeldMessages, "message")}");
        Terminal.Line($"Last hour  {Amount(login.Hour)}; from {Counted(login.Networks, "network")}");
        Terminal.Line($"Last day   {Amount(login.Day)}");
        Terminal.Line(login.Days == 0 ? "Usual      not known yet"
            : $"Usual      in an hour at most {Amount(login.UsualHour)};\n"
                + $"           in a day at most {Amount(login.UsualDay)}; by {Counted(login.Days, "day")} with mail");
        if (login.TrustedUntil is { } until)
        {
            Terminal.Line($"Trusted    until {Time(until)}: you have let go what stopped it, and twice as much is let go");
        }

        if (login.Signs.Length > 0)
        {
            var table = Terminal.NewTable("Sign", "Now", "Allowed", "Most before");
            foreach (var sign in login.Signs)
            {
                table.Row(Terminal.Cell(sign.Sign), Terminal.Cell($"{sign.Count}"), Terminal.Cell($"{sign.Allowed}"), Terminal.Cell($"{sign.Usual}"));
            }

            Terminal.Write(table);
        }

        return Exit.Done;
    }

    private static string Amount(AmountView amount) =>
        $"{Counted(amount.Messages, "message")} to {Counted(amount.Recipients, "recipient")}, {amount.FirstContacts} for the first time";

    private static string Counted(long count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    private static Command CreateSuspend()
    {
        var why = new Option<string>("--why") { Description = "What its user is told", DefaultValueFactory = _ => "", HelpName = "TEXT" };
        var length = new Option<string?>("--for") { Description = "How long, as \"2h\" or \"5d\"; else until it is resumed", HelpName = "TIME" };
        var hold = new Option<bool>("--hold-queue") { Description = "Hold also what of it waits in the queue" };
        var command = new Command("suspend", "Let a login log in and send nothing, from its next message on.")
        {
            Login, why, length, hold, Config, Json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var time = parsed.GetValue(length) is { } text ? Quantities.ParseTime(text) : null;
            if (parsed.GetValue(length) is not null && time is null)
            {
                return Terminal.Fail("--for must be a time like \"30m\", \"2h\" or \"5d\"", Exit.Usage);
            }

            var asked = new NewSuspension(parsed.GetValue(Login)!, parsed.GetValue(why)!, (long?)time?.TotalSeconds, parsed.GetValue(hold));
            return await CommandContext.AtDoorAsync(parsed.GetValue(Config)!,
                async admin => CommandContext.Tell(await admin.CallAsync(LoginOperations.Suspend, asked, cancel), parsed.GetValue(Json)), cancel);
        });
        return command;
    }

    private static Command CreateResume()
    {
        var command = new Command("resume", "Let a login send again; what is held of it stays held.") { Login, Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin => CommandContext.Tell(
            await admin.CallAsync(LoginOperations.Resume, new UserName(parsed.GetValue(Login)!), cancel), parsed.GetValue(Json),
            parsed.GetValue(Login)), cancel));
        return command;
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + "Z";
}
