using System.CommandLine;
using System.Globalization;
using Sallyport.Interaction;
using Sallyport.Mail.Policy;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>limits: how much a login, group or the site has sent, and of how much.</summary>
internal static class LimitsCommand
{
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create() => new("limits", "How much logins have sent against their limits: show, list, reset.")
    {
        CreateShow(),
        CreateList(),
        CreateReset(),
    };

    private static Command CreateShow()
    {
        var (command, subject) = OfSubject("show", "Each limit, how much of it is used, and when more is free.");
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var limits = await admin.CallAsync(LimitOperations.Show, subject(parsed), cancel);
            if (parsed.GetValue(Json))
            {
                return Terminal.Json(limits, AdminJson.Readable.LimitsOfSubject, limits.Problem is null);
            }

            Show(limits);
            return limits.Problem is null ? Exit.Done : Exit.Failed;
        }, cancel));
        return command;
    }

    private static void Show(LimitsOfSubject limits)
    {
        if (limits.Problem is { } problem)
        {
            Terminal.Fail($"{limits.Subject}: {problem}");
        }

        var whose = SendingSubject.Words(limits.Subject);
        Terminal.Line(limits.Quotas.Length == 0 ? $"{whose}: no [[quota]] applies." : $"{whose}: {string.Join("; ", limits.Quotas)}");
        if (limits.Limits.Length > 0)
        {
            var table = Terminal.NewTable("Whose", "Limit", "Used", "Allowed", "Free again");
            foreach (var limit in limits.Limits)
            {
                table.Row(Terminal.Cell(limit.Whose == limits.Subject ? "its own" : limit.Whose),
                    Terminal.Cell($"{Words(limit.Measure)} {Per(limit.Window)}"), Terminal.Cell(Amount(limit.Measure, limit.Used)),
                    Terminal.Cell(limit.Allowed is { } most ? Amount(limit.Measure, most) : "-"),
                    Terminal.Cell(limit.Allowed is null ? "" : limit.FreeAt is { } at ? Time(at)
                        : limit.Used < limit.Allowed ? "now" : limit.Allowed == 0 ? "never" : "when one ends"));
            }

            Terminal.Write(table);
        }

        if (limits.Networks is { } networks)
        {
            Terminal.Line($"Logged in from {networks} {(networks == 1 ? "network" : "networks")} within the last day; "
                + $"has written to {limits.Contacts} {(limits.Contacts == 1 ? "recipient" : "recipients")} before.");
        }
    }

    private static Command CreateList()
    {
        var command = new Command("list", "Who has sent most within the last day.") { Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var busy = await admin.CallAsync(LimitOperations.List, EmptyRequest.Instance, cancel);
            if (parsed.GetValue(Json))
            {
                return Terminal.Json(busy, AdminJson.Readable.BusyViewArray);
            }

            if (busy.Length == 0)
            {
                Terminal.Line("Nobody has sent anything within the last day.");
                return Exit.Done;
            }

            var table = Terminal.NewTable("Whose", "Minute", "Hour", "Day", "Recipients", "First time", "Size", "Logins", "Open");
            foreach (var one in busy)
            {
                var whose = one.Subject.StartsWith("login:", StringComparison.Ordinal) ? one.Subject["login:".Length..] : one.Subject;
                table.Row(Terminal.Cell(whose), Number(one.MessagesMinute), Number(one.MessagesHour), Number(one.Messages),
                    Number(one.Recipients), Number(one.FirstTimeRecipients), Terminal.Cell(Terminal.Size(one.Bytes)), Number(one.Connections),
                    Number(one.Open));
            }

            Terminal.Write(table);
            return Exit.Done;
        }, cancel));
        return command;
    }

    private static Command CreateReset()
    {
        var (command, subject) = OfSubject("reset", "Begin to count anew; whom a login has written to stays known.");
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin => CommandContext.Tell(
            await admin.CallAsync(LimitOperations.Reset, subject(parsed), cancel), parsed.GetValue(Json)), cancel));
        return command;
    }

    /// <summary>LOGIN, --group G or --site, exactly one.</summary>
    private static (Command Command, Func<ParseResult, LimitSubject> Subject) OfSubject(string name, string description)
    {
        var login = new Argument<string?>("login") { Description = "What the user logs in with", Arity = ArgumentArity.ZeroOrOne };
        var group = new Option<string?>("--group") { Description = "A group with a shared limit", HelpName = "GROUP" };
        var site = new Option<bool>("--site") { Description = "The whole site" };
        var command = new Command(name, description) { login, group, site, Config, Json };
        command.Validators.Add(result =>
        {
            var named = (result.GetValue(login) is null ? 0 : 1) + (result.GetValue(group) is null ? 0 : 1) + (result.GetValue(site) ? 1 : 0);
            if (named != 1)
            {
                result.AddError("name one: LOGIN, --group GROUP or --site");
            }
        });
        return (command, parsed => parsed.GetValue(site) ? new LimitSubject("site", "")
            : parsed.GetValue(group) is { } whole ? new LimitSubject("group", whole)
            : new LimitSubject("login", parsed.GetValue(login)!));
    }

    private static GridCell Number(long n) => Terminal.Cell(n.ToString(CultureInfo.InvariantCulture));

    private static string Amount(string measure, long amount) =>
        measure == "bytes" ? QuotaPolicy.Size(amount) : amount.ToString(CultureInfo.InvariantCulture);

    private static string Words(string measure) => measure == "first_time_recipients" ? "first-time recipients" : measure;

    private static string Per(string window) => window switch
    {
        "minute" => "a minute",
        "hour" => "an hour",
        "day" => "a day",
        _ => "at once",
    };

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + "Z";
}
