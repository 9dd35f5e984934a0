using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Hosting;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Configuration.Validation;

namespace Sallyport.Commands;

/// <summary>check: has the configuration errors? Every one with its file, line and key, all at once.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        var command = new Command("check", "Check the configuration; every error with its line and the nearest right name.") { config, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var file = parsed.GetValue(config)!;
            var report = await AskAsync(file, cancel);
            if (!parsed.GetValue(json))
            {
                return Show(file, report);
            }

            Terminal.Json(report, AdminJson.Readable.CheckReport);
            return report.Valid ? Exit.Done : Exit.Usage;
        });
        return command;
    }

    /// <summary>The running server is asked where there is one: it sees the files as its user does.</summary>
    private static async Task<CheckReport> AskAsync(string file, CancellationToken cancel)
    {
        var loaded = ConfigurationLoader.Load(file);
        if (loaded is ConfigurationResult.Invalid { Problems: [{ Line: 0, Key: "" }] unreadable })
        {
            return new(false, [.. unreadable], []);
        }

        var text = await CommandContext.TextAsync(file, cancel);
        await using var admin = await AdminDoor.OpenWithoutStoreAsync(
            (loaded as ConfigurationResult.Loaded)?.Options, TimeProvider.System, cancel);
        var report = await admin.CallAsync(ConfigurationOperations.Check, text, cancel);
        return report with { Problems = Named(report.Problems), Warnings = Named(report.Warnings) };

        ConfigurationProblem[] Named(ConfigurationProblem[] problems) =>
            [.. problems.Select(problem => problem.File == text.File ? problem with { File = file } : problem)];
    }

    private static int Show(string file, CheckReport report)
    {
        foreach (var problem in report.Problems)
        {
            Console.Error.WriteLine(problem);
        }

        foreach (var warning in report.Warnings)
        {
            Terminal.Warn(warning.ToString());
        }

        Terminal.Line($"{file}: " + (!report.Valid ? Count(report.Problems.Length, "error")
            : "no errors" + (report.Warnings.Length == 0 ? "" : $", {Count(report.Warnings.Length, "warning")}")));
        return report.Valid ? Exit.Done : Exit.Usage;
    }

    private static string Count(int n, string thing) => $"{n} {thing}{(n == 1 ? "" : "s")}";
}
