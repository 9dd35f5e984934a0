using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>alert: does it reach anybody?</summary>
internal static class AlertCommand
{
    public static Command Create()
    {
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        var test = new Command("test", "Send an alert by every way configured, and say what came of each.") { config, json };
        test.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(config)!, async admin =>
        {
            var trial = await admin.CallAsync(AlertOperations.Test, EmptyRequest.Instance, cancel);
            if (parsed.GetValue(json))
            {
                return Terminal.Json(trial, AdminJson.Readable.AlertTrial, trial.Sent);
            }

            var table = Terminal.NewTable("Way", "Outcome", "Because");
            foreach (var step in trial.Steps)
            {
                table.Row(Terminal.Cell(step.Rule), Terminal.Outcome(step.Outcome), Terminal.Cell(step.Because));
            }

            Terminal.Write(table);
            return trial.Sent ? Exit.Done : Exit.Failed;
        }, cancel));
        return new Command("alert", "Alerts: test that they reach you.") { test };
    }
}
