using System.CommandLine;
using Sallyport.Server.Admin;

namespace Sallyport.Verbs;

/// <summary>auth-test: walks the directories with a login and a password, and says what each answers.</summary>
internal static class AuthTestVerb
{
    public static Command Create()
    {
        var login = new Argument<string>("login") { Description = "What the user types" };
        var config = Site.ConfigOption();
        var json = Site.JsonOption();
        var command = new Command("auth-test", "Try a login as a client would; the password is asked for, or the first line of standard input.")
        {
            login, config, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            if (Site.Load(parsed.GetValue(config)!) is not { } options || Terminal.ReadPassword(options, twice: false) is not { } password)
            {
                return Exit.Usage;
            }

            return await Site.AtDoorAsync(options, async admin =>
            {
                var trial = await admin.CallAsync(StatusOperations.TryLogin, new LoginQuery(parsed.GetValue(login)!, password), cancel);
                if (parsed.GetValue(json))
                {
                    return Terminal.Json(trial, AdminJson.Readable.LoginTrial, trial.Accepted);
                }

                ExplainVerb.ShowSteps(trial.Steps);
                Terminal.Line(trial.Accepted ? "The login is accepted." : "The login is refused.");
                return trial.Accepted ? Exit.Done : Exit.Failed;
            }, cancel);
        });
        return command;
    }
}
