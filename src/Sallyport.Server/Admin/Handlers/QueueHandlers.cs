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

    public void Register(AdminDispatcher handlers)
    {
        handlers.On(QueueOperations.List, ListAsync);
        handlers.On(QueueOperations.Show, async (name, call) => new FoundInQueue(
            TryParse(name.QueueId, out var id) && await Spool.FindAsync(id, call.Cancel) is { } message ? View(message) : null));
        handlers.On(QueueOperations.Outcome, (name, _) => ValueTask.FromResult<OutcomeView[]>(
            TryParse(name.QueueId, out var id) ? [.. services.Outcomes.Of(id).Select(View)] : []));
        handlers.On(QueueOperations.Hold, (name, call) => ChangeAsync(name, async id =>
            Count(id, await Spool.HoldAsync(id, "by the operator", call.Cancel), (AdminCodes.MessageHeld, "held"),
                (AdminCodes.NothingDue, "nothing to hold: none is due")), call.Cancel));
        handlers.On(QueueOperations.Release, (name, call) => ChangeAsync(name, async id =>
            Count(id, await Spool.ReleaseHeldAsync(id, call.Cancel), (AdminCodes.MessageReleased, "released"),
                (AdminCodes.NothingHeld, "nothing to release: none is held")), call.Cancel));
        handlers.On(QueueOperations.Retry, (name, call) => ChangeAsync(name, async id =>
        {
            services.Relay.ForgetFailures(); // before it falls due: else it would only learn once more that the host is down
            var due = await Spool.RetryNowAsync(id, services.Time.GetUtcNow(), call.Cancel);
            return Count(id, due, (AdminCodes.MessageRetried, "will be retried now"), await NothingToRetryAsync(id, call.Cancel));
        }, call.Cancel));
        handlers.On(QueueOperations.Remove, (name, call) => ChangeAsync(name, async id => await Spool.RemoveAsync(id, call.Cancel)
            ? new(true, AdminCodes.MessageRemoved, $"{id} removed; its sender is not told")
            : new(false, AdminCodes.MessageInProgress, $"{id} is just being relayed; try again in a moment"), call.Cancel));
    }

    private async ValueTask<AdminPage<QueuedView>> ListAsync(QueueQuery query, AdminCall call)
    {
        var most = Math.Clamp(query.Most, 1, QueueMost);
        QueueId? after = TryParse(query.After, out var id) ? id : null;
        var filter = new QueueFilter(
            ToState(query.State), query.Login, query.Sender, query.Recipient, after, most);
        QueuedView[] page = [.. (await services.Store.Spool.ListAsync(filter, call.Cancel)).Select(View)];
        return new(page, page.Length == most ? page[^1].QueueId : null);
    }

    private async ValueTask<AdminAnswer> ChangeAsync(QueuedName name, Func<QueueId, Task<AdminAnswer>> change, CancellationToken cancel)
    {
        if (!TryParse(name.QueueId, out var id))
        {
            return new(false, AdminCodes.InvalidQueueId, $"\"{DisplayText.Sanitize(name.QueueId)}\" is not a queue ID");
        }

        if (await Spool.FindAsync(id, cancel) is null)
        {
            return new(false, AdminCodes.MessageUnknown, $"no message {id} is in the queue");
        }

        var answer = await change(id);
        services.Handoff.Wake();
        return answer;
    }

    private async Task<(string Code, string Words)> NothingToRetryAsync(QueueId id, CancellationToken cancel) =>
        await Spool.FindAsync(id, cancel) is { } message && message.Recipients.Any(recipient => recipient.State == RecipientState.Held)
            ? (AdminCodes.MessageIsHeld, "it is held")
            : (AdminCodes.NothingToRetry, "nothing to retry: it is being relayed, or due already");

    /// <summary>As people type it: letters of either case.</summary>
    private static bool TryParse(string? text, out QueueId id) => QueueId.TryParse(text?.Trim().ToUpperInvariant(), out id);

    private static AdminAnswer Count(QueueId id, int n, (string Code, string Words) done, (string Code, string Words) nothing) => n > 0
        ? new(true, done.Code, $"{id}: {n} recipient{(n == 1 ? "" : "s")} {done.Words}")
        : new(false, nothing.Code, $"{id}: {nothing.Words}");

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
