using System.CommandLine;
using System.Globalization;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;

namespace Sallyport.Commands;

/// <summary>bans: who guessed too many passwords, and how to take it back.</summary>
internal static class BansCommand
{
    private static readonly Argument<string> Address = new("address") { Description = "An IP address; IPv6 stands for its /64" };
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create() => new("bans", "Networks that guessed too many passwords: list, add, remove, reset.")
    {
        CreateList(),
        CreateAdd(),
        Simple("remove", "Let a network log in again.", Address, GuardOperations.Remove, address => new AddressName(address)),
        Simple("reset", "Forget the failed logins of a login.", new("login") { Description = "What the user logs in with" },
            GuardOperations.Reset, login => new UserName(login)),
    };

    private static Command CreateList()
    {
        var command = new Command("list", "List the bans in force.") { Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var bans = await admin.ListAsync(GuardOperations.List, ListRequest.All, cancel);
            if (parsed.GetValue(Json))
            {
                return Terminal.Json(bans, AdminJson.Readable.BanViewArray);
            }

            if (bans.Length == 0)
            {
                Terminal.Line("No network is banned.");
                return Exit.Done;
            }

            var table = Terminal.NewTable("Network", "Since", "Until", "By", "Why");
            foreach (var ban in bans)
            {
                table.Row(Terminal.Cell(ban.Network), Terminal.Cell(Time(ban.Since)), Terminal.Cell(Time(ban.Until)), Terminal.Cell(ban.By),
                    Terminal.Cell(ban.Why));
            }

            Terminal.Write(table);
            return Exit.Done;
        }, cancel));
        return command;
    }

    private static Command CreateAdd()
    {
        var length = new Option<string>("--for") { Description = "How long", DefaultValueFactory = _ => "1h", HelpName = "TIME" };
        var command = new Command("add", "Keep a network from logging in, except where it is known.") { Address, length, Config, Json };
        command.SetAction(async (parsed, cancel) =>
        {
            if (Quantities.ParseTime(parsed.GetValue(length)!) is not { } time)
            {
                return Terminal.Fail("--for must be a time like \"30m\", \"2h\" or \"5d\"", Exit.Usage);
            }

            var ban = new NewBan(parsed.GetValue(Address)!, (long)time.TotalSeconds);
            return await CommandContext.AtDoorAsync(parsed.GetValue(Config)!,
                async admin => CommandContext.Tell(await admin.CallAsync(GuardOperations.Add, ban, cancel), parsed.GetValue(Json)), cancel);
        });
        return command;
    }

    private static Command Simple<TRequest>(
        string name, string description, Argument<string> argument, AdminOperation<TRequest, AdminAnswer> change, Func<string, TRequest> request)
        where TRequest : class
    {
        var command = new Command(name, description) { argument, Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin => CommandContext.Tell(
            await admin.CallAsync(change, request(parsed.GetValue(argument)!), cancel), parsed.GetValue(Json)), cancel));
        return command;
    }

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + "Z";
}
