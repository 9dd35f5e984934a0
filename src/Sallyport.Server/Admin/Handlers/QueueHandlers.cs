using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class QueueHandlers(AdminServices services)
{
    private const int QueueMost = 10_000;

    private ISpool Spool => services.Store.Spool;

    public void Register(AdminHandlers handlers)
    {
        handlers.On(QueueOperations.List, ListAsync);
        handlers.On(QueueOperations.Show, async (name, cancel) => new FoundInQueue(
            TryParse(name.QueueId, out var id) && await Spool.FindAsync(id, cancel) is { } message ? View(message) : null));
        handlers.On(QueueOperations.Outcome, (name, _) => ValueTask.FromResult<OutcomeView[]>(
            TryParse(name.QueueId, out var id) ? [.. services.Outcomes.Of(id).Select(View)] : []));
        handlers.On(QueueOperations.Hold, (name, cancel) => ChangeAsync(name, async id =>
            Count(id, await Spool.HoldAsync(id, "by the operator", cancel), "held", "nothing to hold: none is due"), cancel));
        handlers.On(QueueOperations.Release, (name, cancel) => ChangeAsync(name, async id =>
            Count(id, await Spool.ReleaseHeldAsync(id, cancel), "released", "nothing to release: none is held"), cancel));
        handlers.On(QueueOperations.Retry, (name, cancel) => ChangeAsync(name, async id =>
        {
            services.Relay.ForgetFailures(); // before it falls due: else it would only learn once more that the host is down
            return Count(
                id, await Spool.RetryNowAsync(id, services.Time.GetUtcNow(), cancel), "due now", await NothingToRetryAsync(id, cancel));
        }, cancel));
        handlers.On(QueueOperations.Remove, (name, cancel) => ChangeAsync(name, async id => await Spool.RemoveAsync(id, cancel)
            ? new(true, $"{id} removed; its sender is not told")
            : new(false, $"{id} is just being relayed; try again in a moment"), cancel));
    }

    private async ValueTask<QueuedView[]> ListAsync(QueueQuery query, CancellationToken cancel)
    {
        QueueId? after = TryParse(query.After, out var id) ? id : null;
        var filter = new QueueFilter(
            ToState(query.State), query.Login, query.Sender, query.Recipient, after, Math.Clamp(query.Most, 1, QueueMost));
        return [.. (await services.Store.Spool.ListAsync(filter, cancel)).Select(View)];
    }

    private async ValueTask<AdminAnswer> ChangeAsync(QueuedName name, Func<QueueId, Task<AdminAnswer>> change, CancellationToken cancel)
    {
        if (!TryParse(name.QueueId, out var id))
        {
            return new(false, $"\"{DisplayText.Sanitize(name.QueueId)}\" is not a queue id");
        }

        if (await Spool.FindAsync(id, cancel) is null)
        {
            return new(false, $"no message {id} is in the queue");
        }

        var answer = await change(id);
        services.Handoff.Wake();
        return answer;
    }

    private async Task<string> NothingToRetryAsync(QueueId id, CancellationToken cancel) =>
        await Spool.FindAsync(id, cancel) is { } message && message.Recipients.Any(recipient => recipient.State == RecipientState.Held)
            ? $"it is held: `sallyport queue release {id}` lets it go"
            : "nothing to retry: it is being relayed, or due already";

    /// <summary>As people type it: letters of either case.</summary>
    private static bool TryParse(string? text, out QueueId id) => QueueId.TryParse(text?.Trim().ToUpperInvariant(), out id);

    private static AdminAnswer Count(QueueId id, int n, string done, string nothing) =>
        n > 0 ? new(true, $"{id}: {n} recipient{(n == 1 ? "" : "s")} {done}") : new(false, $"{id}: {nothing}");

    private QueuedView View(SpooledMessage message)
    {
        var routes = services.Site.Current.Routes;
        var record = message.Record;
        return new(message.Id.ToString(), record.ReceivedAt, record.Login, record.ClientAddress, record.SessionId,
            record.Envelope.ReversePath.ToString(), record.MessageId, message.ContentBytes, record.HoldReason,
            [.. message.Recipients.Select(r => new RecipientView(r.Path.ToString(), StateName(r.State), r.Attempts,
                r.State == RecipientState.Due ? r.NextAttemptAt : null, r.LastReply, routes.Find(r.Path.Mailbox)?.ToString()))]);
    }

    private static OutcomeView View(RecentOutcome outcome) => new(
        outcome.Recipient, outcome.State is RecipientState.Due or RecipientState.InProgress ? "deferred" : StateName(outcome.State),
        outcome.NextHop, outcome.Reply, outcome.Attempts, outcome.NextAttemptAt, outcome.At)
    {
        Cause = outcome.Cause == RelayFailure.None ? null : outcome.Cause.ToName(),
    };

    private static string StateName(RecipientState state) => state switch
    {
        RecipientState.Due => "due",
        RecipientState.InProgress => "progress",
        RecipientState.Held => "held",
        RecipientState.Relayed => "relayed",
        _ => "failed",
    };

    private static RecipientState? ToState(string? name) => name switch
    {
        "due" => RecipientState.Due,
        "progress" => RecipientState.InProgress,
        "held" => RecipientState.Held,
        _ => null,
    };
}
