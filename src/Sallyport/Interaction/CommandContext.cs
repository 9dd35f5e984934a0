using System.CommandLine;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Configuration.Validation;
using Sallyport.Server.Hosting;

namespace Sallyport.Interaction;

/// <summary>The configuration a command works on, and the door to its server or store.</summary>
internal static class CommandContext
{
    private const string DefaultFile = "/etc/sallyport/sallyport.toml";

    public static Option<string> ConfigOption() => new("--config", "-c")
    {
        Description = "The configuration file; $SALLYPORT_CONFIG names another default",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("SALLYPORT_CONFIG") is { Length: > 0 } file ? file : DefaultFile,
        HelpName = "FILE",
    };

    public static Option<bool> JsonOption() => new("--json") { Description = "Write JSON, for programs" };

    /// <summary>The options, or null when the file has errors; they are then told.</summary>
    /// <param name="warn">Tells the warnings as well; they are the business of whoever looks after the configuration.</param>
    public static ServerOptions? Load(string file, bool warn = false)
    {
        switch (ConfigurationLoader.Load(file))
        {
            case ConfigurationResult.Loaded loaded:
                foreach (var warning in warn ? loaded.Warnings : [])
                {
                    Terminal.Warn(warning.ToString());
                }

                return loaded.Options;
            case ConfigurationResult.Invalid invalid:
                Terminal.Fail(file, invalid.Problems);
                break;
        }

        return null;
    }

    /// <summary>The configuration as it is sent through the door.</summary>
    public static async Task<ConfigurationText> TextAsync(string file, CancellationToken cancel) =>
        new(Path.GetFullPath(file), await File.ReadAllTextAsync(file, cancel));

    /// <summary>Runs a command at the door; exit code 2 when the configuration has errors.</summary>
    public static async Task<int> AtDoorAsync(string file, Func<IAdmin, Task<int>> work, CancellationToken cancel) =>
        Load(file) is { } options ? await AtDoorAsync(options, work, cancel) : Exit.Usage;

    public static async Task<int> AtDoorAsync(ServerOptions options, Func<IAdmin, Task<int>> work, CancellationToken cancel)
    {
        await using var admin = await AdminDoor.OpenAsync(options, TimeProvider.System, cancel);
        return await work(admin);
    }

    /// <param name="subject">The login or queue ID the change was about, for the hint behind its message.</param>
    public static int Tell(AdminAnswer answer, bool json, string? subject = null)
    {
        if (json)
        {
            return Terminal.Json(answer, AdminJson.Readable.AdminAnswer, answer.Done);
        }

        var message = Hints.With(answer.Message, answer.Code, subject);
        if (!answer.Done)
        {
            return Terminal.Fail(message);
        }

        Terminal.Line(message);
        return Exit.Done;
    }
}
