using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Mail.Policy;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>grants: who may send as whom, and by which right.</summary>
internal static class GrantsCommand
{
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create() => new("grants", "Who may send as whom: list, add, remove, of, who-may-send-as.")
    {
        CreateList(),
        Change("add", GrantOperations.Add, "Let a login or group send as an address, a pattern or another login."),
        Change("remove", GrantOperations.Remove, "Take back what `grants add` gave."),
        CreateOf(),
        CreateWho(),
    };

    private static Command CreateList()
    {
        var command = new Command("list", "List the grants of configuration and commands; what directories say comes on top.") { Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var grants = await admin.ListAsync(GrantOperations.List, ListRequest.All, cancel);
            if (parsed.GetValue(Json))
            {
                return Terminal.Json(grants, AdminJson.Readable.GrantViewArray);
            }

            if (grants.Length == 0)
            {
                Terminal.Line("There are no grants beyond what the directories say; `sallyport grants add` makes one.");
                return Exit.Done;
            }

            var table = Terminal.NewTable("These", "May send as", "By");
            foreach (var grant in grants)
            {
                table.Row(Terminal.Cell(grant.To), Terminal.Cell(grant.As), Terminal.Cell(grant.Source));
            }

            Terminal.Write(table);
            return Exit.Done;
        }, cancel));
        return command;
    }

    private static Command Change(string name, AdminOperation<GrantPair, AdminAnswer> change, string description)
    {
        var to = new Option<string>("--to") { Description = "A login, \"group:NAME\", or \"*\" for all", Required = true, HelpName = "WHO" };
        var granted = new Option<string>("--as")
        {
            Description = "An address, \"*@acme.test\", \"sales-*@acme.test\", or \"login:LOGIN\" for all that login may send as",
            Required = true,
            HelpName = "ADDRESS",
        };
        var command = new Command(name, description) { to, granted, Config, Json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(to) is { } who && GrantRule.SubjectMistake(who) is { } noSubject)
            {
                result.AddError("--to: " + noSubject);
            }

            if (result.GetValue(granted) is { } address && GrantRule.SenderMistake(address) is { } noSender)
            {
                result.AddError("--as: " + noSender);
            }
        });
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var pair = new GrantPair(parsed.GetValue(to)!, parsed.GetValue(granted)!);
            return CommandContext.Tell(await admin.CallAsync(change, pair, cancel), parsed.GetValue(Json));
        }, cancel));
        return command;
    }

    private static Command CreateOf()
    {
        var login = new Argument<string>("login") { Description = "What the user logs in with" };
        var command = new Command("of", "Say what a login may send as, and by which right.") { login, Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var found = await admin.CallAsync(GrantOperations.Of, new UserName(parsed.GetValue(login)!), cancel);
            return parsed.GetValue(Json) ? Terminal.Json(found, AdminJson.Readable.GrantsOfLogin, found.Problem is null) : Show(found);
        }, cancel));
        return command;
    }

    private static int Show(GrantsOfLogin found)
    {
        if (found.Problem is { } problem)
        {
            return Terminal.Fail($"nothing can be said of {found.Login}: {problem}");
        }

        Terminal.Line($"Login      {Clean(found.Login)}, of directory {Clean(found.Directory ?? "")}");
        Terminal.Line($"Groups     {(found.Groups.Length == 0 ? "none" : Clean(string.Join(", ", found.Groups)))}");
        Terminal.Line($"Otherwise  {found.Mode switch
        {
            "rewrite" => "another sender is replaced by its own address, which also stands in Sender",
            "log" => "another sender passes and is logged",
            _ => "another sender is refused",
        }}");
        if (found.Rights.Length == 0)
        {
            Terminal.Line("It may send as nobody.");
            return Exit.Done;
        }

        var table = Terminal.NewTable("May send as", "By");
        foreach (var right in found.Rights)
        {
            table.Row(Terminal.Cell(right.Sender), Terminal.Cell(right.Source));
        }

        Terminal.Write(table);
        return Exit.Done;
    }

    private static Command CreateWho()
    {
        var address = new Argument<string>("address") { Description = "A mail address" };
        var command = new Command("who-may-send-as", "Say who may send as an address, and by which right.") { address, Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var found = await admin.CallAsync(GrantOperations.WhoMaySendAs, new AddressName(parsed.GetValue(address)!), cancel);
            if (parsed.GetValue(Json))
            {
                return Terminal.Json(found, AdminJson.Readable.WhoMaySend, found.Problem is null);
            }

            if (found.Problem is { } problem)
            {
                return Terminal.Fail(problem, Exit.Usage);
            }

            if (found.Who.Length == 0)
            {
                Terminal.Line($"Nobody may send as {Clean(found.Address)}, as far as the directories can say.");
                return Exit.Done;
            }

            var table = Terminal.NewTable("Who", "By");
            foreach (var who in found.Who)
            {
                table.Row(Terminal.Cell(who.Login), Terminal.Cell(who.Source));
            }

            Terminal.Write(table);
            return Exit.Done;
        }, cancel));
        return command;
    }

    private static string Clean(string text) => Server.Telemetry.LogText.Clean(text);
}
