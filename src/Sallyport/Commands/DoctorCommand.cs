using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;

namespace Sallyport.Commands;

/// <summary>doctor: looks at everything mail depends on, and says what is wrong and what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        var command = new Command("doctor", "Look at certificate, log, store, accounts, directories, listeners and next hops, and say what is wrong.")
        {
            config, json,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var file = parsed.GetValue(config)!;
            if (CommandContext.Load(file, warn: true) is not { } options)
            {
                return Exit.Usage;
            }

            var findings = await AskAsync(options, await CommandContext.TextAsync(file, cancel), cancel);
            var done = findings.TrueForAll(finding => finding.State != "error");
            return parsed.GetValue(json) ? Terminal.Json([.. findings], AdminJson.Readable.FindingArray, done) : Show(findings, done);
        });
        return command;
    }

    private static async Task<List<Finding>> AskAsync(ServerOptions options, ConfigurationText text, CancellationToken cancel)
    {
        await using var admin = await AdminDoor.OpenForChecksAsync(options, TimeProvider.System, cancel);
        var findings = new List<Finding>();
        await foreach (var finding in admin.StreamAsync(DoctorOperations.Run, new DoctorRequest(text), Stream.Null, cancel))
        {
            findings.Add(finding);
            Terminal.Progress($"checked: {finding.Check}");
        }

        Terminal.Progress(null);
        return findings;
    }

    private static int Show(List<Finding> findings, bool done)
    {
        var table = Terminal.NewTable("Check", "Outcome", "Detail");
        findings.ForEach(finding => table.Row(
            Terminal.Cell(finding.Check), Terminal.Outcome(finding.Outcome), Terminal.Cell(Hints.Of(finding))));
        Terminal.Write(table);
        Terminal.Line(!done ? "Mail will not flow as configured; see above."
            : findings.TrueForAll(finding => finding.State == "ok") ? "All checks passed."
            : "No errors; see the warnings above.");
        return done ? Exit.Done : Exit.Failed;
    }
}
