using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>user: the local accounts. Passwords come from a prompt or standard input, never from an argument.</summary>
internal static class UserCommand
{
    private const int ShortPassword = 10;

    private static readonly Argument<string> Login = new("login") { Description = "What the user logs in with; may be a mail address" };
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create() => new("user", "Local accounts: add, list, remove, passwd, address, disable, enable.")
    {
        CreateAdd(),
        CreateList(),
        Simple("remove", "Remove an account.", UserOperations.Remove),
        CreatePasswd(),
        CreateAddress(),
        Simple("disable", "Refuse an account's logins from now on.", UserOperations.Disable),
        Simple("enable", "Accept an account's logins again.", UserOperations.Enable),
    };

    private static Command CreateAdd()
    {
        var addresses = new Option<string[]>("--address", "-a")
        {
            Description = "An address it may send as; may be given more than once. A login that is an address may send as itself",
            HelpName = "ADDRESS",
        };
        var command = new Command("add", "Add an account. The password is asked for, or the first line of standard input.")
        {
            Login, addresses, Config, Json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var (login, granted) = (parsed.GetValue(Login)!, parsed.GetValue(addresses) ?? []);
            var mistakes = granted.Select(Hints.OfAddress).Prepend(UserRules.LoginMistake(login));
            if (mistakes.FirstOrDefault(mistake => mistake is not null) is { } wrong)
            {
                return Terminal.Fail(wrong, Exit.Usage);
            }

            if (CommandContext.Load(parsed.GetValue(Config)!) is not { } options || Terminal.ReadPassword(options, twice: true) is not { } password)
            {
                return Exit.Usage;
            }

            WarnOfShort(password);
            return await CommandContext.AtDoorAsync(options, async admin =>
            {
                var user = new NewUser(login, await VerifierAsync(admin, login, password, cancel), granted);
                return CommandContext.Tell(await admin.CallAsync(UserOperations.Add, user, cancel), parsed.GetValue(Json), login);
            }, cancel);
        });
        return command;
    }

    private static Command CreatePasswd()
    {
        var command = new Command("passwd", "Set an account's password: asked for, or the first line of standard input.") { Login, Config, Json };
        command.SetAction(async (parsed, cancel) =>
        {
            if (CommandContext.Load(parsed.GetValue(Config)!) is not { } options || Terminal.ReadPassword(options, twice: true) is not { } password)
            {
                return Exit.Usage;
            }

            WarnOfShort(password);
            return await CommandContext.AtDoorAsync(options, async admin =>
            {
                var login = parsed.GetValue(Login)!;
                var change = new NewPassword(login, await VerifierAsync(admin, login, password, cancel));
                return CommandContext.Tell(await admin.CallAsync(UserOperations.SetPassword, change, cancel), parsed.GetValue(Json));
            }, cancel);
        });
        return command;
    }

    private static Command CreateAddress() => new("address", "Addresses an account may send as, besides the login itself.")
    {
        CreateAddressChange("add", "Let an account send as these addresses too.", (login, addresses) => new(login, addresses, [])),
        CreateAddressChange("remove", "Let an account no longer send as these addresses.", (login, addresses) => new(login, [], addresses)),
    };

    private static Command CreateAddressChange(string name, string description, Func<string, string[], AddressChange> change)
    {
        var addresses = new Argument<string[]>("address") { Description = "Mail addresses", Arity = ArgumentArity.OneOrMore };
        var command = new Command(name, description) { Login, addresses, Config, Json };
        addresses.Validators.Add(result =>
        {
            foreach (var mistake in result.Tokens.Select(token => Hints.OfAddress(token.Value)).OfType<string>())
            {
                result.AddError(mistake);
            }
        });
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin => CommandContext.Tell(
            await admin.CallAsync(UserOperations.ChangeAddresses, change(parsed.GetValue(Login)!, parsed.GetValue(addresses) ?? []), cancel),
            parsed.GetValue(Json), parsed.GetValue(Login)), cancel));
        return command;
    }

    private static Command CreateList()
    {
        var command = new Command("list", "List the accounts.") { Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!, async admin =>
        {
            var users = await admin.ListAsync(UserOperations.List, ListRequest.All, cancel);
            return parsed.GetValue(Json) ? Terminal.Json(users, AdminJson.Readable.UserViewArray) : Show(users);
        }, cancel));
        return command;
    }

    private static int Show(UserView[] users)
    {
        if (users.Length == 0)
        {
            Terminal.Line("There are no local accounts; `sallyport user add LOGIN` makes one.");
            return Exit.Done;
        }

        var table = Terminal.NewTable("Login", "May send as", "State", "Since");
        foreach (var user in users)
        {
            table.Row(Terminal.Cell(user.Login), Terminal.Cell(user.Addresses.Length == 0 ? "nobody" : string.Join(", ", user.Addresses)),
                Terminal.Cell(user.Disabled ? "disabled" : "enabled", user.Disabled ? CellColor.Red : CellColor.None),
                Terminal.Cell(user.CreatedAt.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)));
        }

        Terminal.Write(table);
        return Exit.Done;
    }

    private static Command Simple(string name, string description, AdminOperation<UserName, AdminAnswer> change)
    {
        var command = new Command(name, description) { Login, Config, Json };
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(Config)!,
            async admin => CommandContext.Tell(
                await admin.CallAsync(change, new UserName(parsed.GetValue(Login)!), cancel), parsed.GetValue(Json)), cancel));
        return command;
    }

    /// <summary>Made here, with the salt of the login's app passwords where it has some.</summary>
    private static async Task<VerifierView> VerifierAsync(IAdmin admin, string login, string password, CancellationToken cancel) =>
        VerifierView.Make(password, await admin.CallAsync(UserOperations.Salt, new UserName(login), cancel));

    private static void WarnOfShort(string password)
    {
        if (password.Length < ShortPassword)
        {
            Terminal.Warn($"the password has fewer than {ShortPassword} characters; this server faces the Internet");
        }
    }
}
