using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>explain: what would happen, rule by rule, decided by the functions that decide for real.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var login = new Option<string>("--login") { Description = "The login", Required = true };
        var from = new Option<string>("--from") { Description = "The sender's address; \"<>\" for the null sender", Required = true };
        var to = new Option<string>("--to") { Description = "A recipient's address", Required = true };
        var config = CommandContext.ConfigOption();
        var json = CommandContext.JsonOption();
        var command = new Command("explain", "Say what would happen to a message, rule by rule.") { login, from, to, config, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(from) is { } sender and not ("" or "<>") && UserRules.AddressMistake(sender) is { } noSender)
            {
                result.AddError("--from: " + noSender);
            }

            if (result.GetValue(to) is { } recipient && UserRules.AddressMistake(recipient) is { } noRecipient)
            {
                result.AddError("--to: " + noRecipient);
            }
        });
        command.SetAction((parsed, cancel) => CommandContext.AtDoorAsync(parsed.GetValue(config)!, async admin =>
        {
            var query = new ExplainQuery(parsed.GetValue(login)!, parsed.GetValue(from)!, parsed.GetValue(to)!);
            var explanation = await admin.CallAsync(ExplainOperations.Explain, query, cancel);
            if (parsed.GetValue(json))
            {
                return Terminal.Json(explanation, AdminJson.Readable.Explanation, explanation.Accepted);
            }

            ShowSteps(explanation.Steps);
            Terminal.Line(!explanation.Accepted ? "The message would be refused."
                : explanation.Steps.Any(step => step.Outcome == "held") ? "The message would be taken, and held."
                : "The message would be taken.");
            foreach (var hint in Hints.Of(explanation, query.Login))
            {
                Terminal.Line(hint);
            }

            return explanation.Accepted ? Exit.Done : Exit.Failed;
        }, cancel));
        return command;
    }

    public static void ShowSteps(ExplainedStep[] steps)
    {
        var table = Terminal.NewTable("Rule", "Outcome", "Because");
        foreach (var step in steps)
        {
            table.Row(Terminal.Cell(step.Rule), Terminal.Outcome(step.Outcome), Terminal.Cell(step.Because));
        }

        Terminal.Write(table);
    }
}
