using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class StatusHandlers(AdminServices services)
{
    public void Register(AdminDispatcher handlers)
    {
        handlers.On(StatusOperations.Show, ShowAsync);
        handlers.On(ExplainOperations.Explain, (query, call) =>
        {
            var site = services.Site.Current;
            return Explainer.ExplainAsync(
                query, site.Routes, site.Identity, grant => LimitHandlers.ExplainAsync(services, grant, query.To), services.Breaker, call.Cancel);
        });
        handlers.On(LoginTrialOperations.TryLogin, (query, call) => LoginTrials.TryLoginAsync(query, services.Site.Current.Identity, call.Cancel));
        handlers.On(LoginTrialOperations.TryToken, (query, call) => LoginTrials.TryTokenAsync(query, services.Site.Current.Identity, call.Cancel));
        handlers.On(LoginTrialOperations.TryDirectories,
            (_, call) => LoginTrials.TryDirectoriesAsync(services.Site.Current.Identity, call.Cancel));
    }

    private async ValueTask<ServerStatus> ShowAsync(EmptyRequest _, AdminCall call)
    {
        var totals = await services.Store.Spool.TotalsAsync(call.Cancel);
        return new ServerStatus(
            services.StartedAt is not null, ServerVersion.Text, services.StartedAt, services.Store.Spool.Health.ToString().ToLowerInvariant(),
            totals.Messages, totals.Recipients, totals.Due, totals.InProgress, totals.Held, totals.Bytes, totals.OldestReceivedAt,
            services.Gate.Open, services.Site.Options.Limits.Connections)
        { OnlyLoopback = services.Books.Guard.SeesOnlyLoopback() };
    }
}
