using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Certificates;
using Sallyport.Server.Configuration;
using Sallyport.Server.Configuration.Validation;
using Sallyport.Server.Identity;

namespace Sallyport.Commands;

/// <summary>check: is the configuration right? Every mistake with its file, line and key, all at once.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        var command = new Command("check", "Check the configuration; every mistake with its line and the nearest right name.") { config, json };
        command.SetAction(parsed => Run(parsed.GetValue(config)!, parsed.GetValue(json)));
        return command;
    }

    private static int Run(string file, bool json)
    {
        var result = ConfigurationLoader.Load(file);
        var problems = result is ConfigurationResult.Invalid invalid ? invalid.Problems.ToList() : [];
        var warnings = result switch
        {
            ConfigurationResult.Loaded loaded => loaded.Warnings.ToList(),
            ConfigurationResult.Invalid wrong => wrong.Warnings.ToList(),
            _ => [],
        };
        if (result is ConfigurationResult.Loaded { Options: var options } && TryCertificate(options) is { } broken)
        {
            problems.Add(new(file, 0, "tls", broken));
        }

        if (result is ConfigurationResult.Loaded { Options.Directories: var directories })
        {
            problems.AddRange(directories.OfType<CertificateDirectoryOptions>()
                .Select(directory => (directory.Name, Trouble: new CertificateDirectory(directory).Trouble()))
                .Where(one => one.Trouble is not null)
                .Select(one => new ConfigurationProblem(file, 0, "directory." + one.Name, one.Trouble!)));
        }

        if (json)
        {
            var report = new CheckReport(problems.Count == 0, [.. problems], [.. warnings]);
            Terminal.Json(report, CommandJson.Readable.CheckReport);
        }
        else
        {
            problems.ForEach(problem => Console.Error.WriteLine(problem));
            warnings.ForEach(warning => Terminal.Warn(warning.ToString()));
            Terminal.Line(problems.Count == 0
                ? $"{file} is right" + (warnings.Count == 0 ? "" : $", with {Count(warnings.Count, "doubt")}")
                : $"{Count(problems.Count, "mistake")} in {file}");
        }

        return problems.Count == 0 ? Exit.Done : Exit.Usage;
    }

    private static string Count(int n, string thing) => $"{n} {thing}{(n == 1 ? "" : "s")}";

    private static string? TryCertificate(ServerOptions options)
    {
        try
        {
            ServerCertificate.Load(options);
            return null;
        }
        catch (StartException exception)
        {
            return exception.Message;
        }
    }
}
