using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class AlertHandlers(AdminServices services)
{
    public void Register(AdminHandlers handlers) => handlers.On(AlertOperations.Test, TestAsync);

    private async ValueTask<AlertTrial> TestAsync(EmptyRequest asked, CancellationToken cancel)
    {
        if (services.StartedAt is null)
        {
            return new(false, [new("alerts", "failed", "no server runs, which would send them")]);
        }

        var outcomes = await services.Alerts.TestAsync(cancel);
        var steps = outcomes.Select(outcome => new ExplainedStep($"{outcome.Way} to {outcome.To}",
            outcome.Trouble.Length == 0 ? "ok" : "failed", outcome.Trouble.Length > 0 ? outcome.Trouble
                : outcome.Way == "mail" ? "in the queue, from where it goes by the routes" : "taken")).ToList();
        if (steps.Count == 0)
        {
            steps.Add(new("alerts", "failed", "nobody is told of anything: set mail or webhook in [alert]"));
        }

        return new(steps.TrueForAll(step => step.Outcome == "ok"), [.. steps]);
    }
}
