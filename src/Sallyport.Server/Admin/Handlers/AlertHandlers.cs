using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class AlertHandlers(AdminServices services)
{
    public void Register(AdminDispatcher handlers) => handlers.On(AlertOperations.Test, TestAsync);

    private async ValueTask<AlertTrial> TestAsync(EmptyRequest asked, AdminCall call)
    {
        if (services.StartedAt is null)
        {
            return new(false, AdminCodes.NotRunning, [new("alerts", "failed", "the server is not running; only it sends alerts")]);
        }

        var outcomes = await services.Alerts.TestAsync(call.Cancel);
        var steps = outcomes.Select(outcome => new ExplainedStep($"{outcome.Way} to {outcome.To}",
            outcome.Trouble.Length == 0 ? "ok" : "failed", outcome.Trouble.Length > 0 ? outcome.Trouble
                : outcome.Way == "mail" ? "queued for mail" : "accepted")).ToList();
        if (steps.Count == 0)
        {
            steps.Add(new("alerts", "failed", "no alert is sent to anyone: set mail or webhook in [alert]"));
            return new(false, AdminCodes.AlertNotConfigured, [.. steps]);
        }

        var sent = steps.TrueForAll(step => step.Outcome == "ok");
        return new(sent, sent ? AdminCodes.AlertSent : AdminCodes.AlertFailed, [.. steps]);
    }
}
