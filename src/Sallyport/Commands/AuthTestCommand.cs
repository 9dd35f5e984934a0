using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>auth-test: walks the directories with a login and a password, or with an access token, and says what each answers.</summary>
internal static class AuthTestCommand
{
    public static Command Create()
    {
        var login = new Argument<string?>("login")
        {
            Description = "What the user types; with --token it may be left out",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var token = new Option<bool>("--token") { Description = "Try an OAuth 2.0 access token in place of a password" };
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        var command = new Command(
            "auth-test", "Try a login as a client would; the password (or token) is asked for, or the first line of standard input.")
        {
            login, token, config, json,
        };
        command.SetAction(async (parsed, cancel) => parsed.GetValue(token)
            ? await TryTokenAsync(parsed.GetValue(config)!, parsed.GetValue(login), parsed.GetValue(json), cancel)
            : parsed.GetValue(login) is { } name
                ? await TryPasswordAsync(parsed.GetValue(config)!, name, parsed.GetValue(json), cancel)
                : Terminal.Fail("which login? Only with --token it may be left out", Exit.Usage));
        return command;
    }

    private static async Task<int> TryPasswordAsync(string config, string login, bool json, CancellationToken cancel) =>
        CommandContext.Load(config) is { } options && Terminal.ReadPassword(options, twice: false) is { } password
            ? await CommandContext.AtDoorAsync(options, async admin =>
                Show(await admin.CallAsync(LoginTrialOperations.TryLogin, new LoginQuery(login, password), cancel), "login", json), cancel)
            : Exit.Usage;

    private static async Task<int> TryTokenAsync(string config, string? login, bool json, CancellationToken cancel) =>
        CommandContext.Load(config) is { } options && Terminal.ReadSecret("token") is { } token
            ? await CommandContext.AtDoorAsync(options, async admin =>
                Show(await admin.CallAsync(LoginTrialOperations.TryToken, new TokenQuery(login, token), cancel), "token", json), cancel)
            : Exit.Usage;

    private static int Show(LoginTrial trial, string what, bool json)
    {
        if (json)
        {
            return Terminal.Json(trial, AdminJson.Readable.LoginTrial, trial.Accepted);
        }

        ExplainCommand.ShowSteps(trial.Steps);
        Terminal.Line(trial.Accepted ? $"The {what} is accepted." : $"The {what} is refused.");
        return trial.Accepted ? Exit.Done : Exit.Failed;
    }
}
