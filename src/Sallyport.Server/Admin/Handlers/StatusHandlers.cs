using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class StatusHandlers(AdminServices services)
{
    public void Register(AdminHandlers handlers)
    {
        handlers.On(StatusOperations.Show, ShowAsync);
        handlers.On(StatusOperations.Explain, (query, cancel) =>
        {
            var site = services.Site.Current;
            return Explainer.ExplainAsync(
                query, site.Routes, site.Identity, grant => LimitHandlers.ExplainAsync(services, grant, query.To), services.Breaker, cancel);
        });
        handlers.On(StatusOperations.TryLogin, (query, cancel) => Explainer.TryLoginAsync(query, services.Site.Current.Identity, cancel));
        handlers.On(StatusOperations.TryDirectories, (_, cancel) => Explainer.TryDirectoriesAsync(services.Site.Current.Identity, cancel));
        handlers.On(StatusOperations.TryToken, (query, cancel) => Explainer.TryTokenAsync(query, services.Site.Current.Identity, cancel));
    }

    private async ValueTask<ServerStatus> ShowAsync(EmptyRequest _, CancellationToken cancel)
    {
        var totals = await services.Store.Spool.TotalsAsync(cancel);
        return new ServerStatus(
            services.StartedAt is not null, ServerVersion.Text, services.StartedAt, services.Store.Spool.Health.ToString().ToLowerInvariant(),
            totals.Messages, totals.Recipients, totals.Due, totals.InProgress, totals.Held, totals.Bytes, totals.OldestReceivedAt,
            services.Gate.Open, services.Site.Options.Limits.Connections)
        { OnlyLoopback = services.Books.Guard.SeesOnlyLoopback() };
    }
}
