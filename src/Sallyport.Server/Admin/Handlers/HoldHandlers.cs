using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class HoldHandlers(AdminServices services)
{
    /// <summary>Messages changed in one commit: so few that mail coming in meanwhile does not wait for them.</summary>
    private const int MessagesAtOnce = 1000;
    private const int GroupsMax = 1000;
    private const int NamesMax = 10_000;

    private ISpool Spool => services.Store.Spool;

    public void Register(AdminDispatcher handlers)
    {
        handlers.On(HoldOperations.List, ListAsync);
        handlers.On(HoldOperations.Release, ReleaseAsync);
        handlers.On(HoldOperations.Drop, DropAsync);
    }

    private async ValueTask<AdminPage<HeldView>> ListAsync(HeldQuery query, AdminCall call)
    {
        var login = query.Login is null ? null : await LoginAsync(query.Login, call.Cancel);
        return AdminPaging.Cut((await Spool.HeldAsync(login, GroupsMax, call.Cancel)).Select(View),
            held => held.Login + "\0" + held.Reason, query.Limit, query.After);
    }

    private async ValueTask<HeldAnswer> ReleaseAsync(HeldSelection selection, AdminCall call)
    {
        var cancel = call.Cancel;
        if (Mistake(selection) is { } mistake)
        {
            return mistake;
        }

        if (selection.QueueIds.Length > 0)
        {
            return await EachAsync(selection, "released", async id => await Spool.ReleaseHeldAsync(id, cancel), cancel);
        }

        var login = selection.All ? null : await LoginAsync(selection.Login!, cancel);
        var cleared = services.Breaker.Resume(login, selection.Trust);
        return await SomeAsync("released", login, await Spool.ReleaseHeldOfAsync(login, MessagesAtOnce, cancel), cleared, cancel);
    }

    private async ValueTask<HeldAnswer> DropAsync(HeldSelection selection, AdminCall call)
    {
        var cancel = call.Cancel;
        if (Mistake(selection) is { } mistake)
        {
            return mistake;
        }

        if (selection.QueueIds.Length > 0)
        {
            return await EachAsync(selection, "dropped", async id =>
            {
                var recipients = await Spool.FindAsync(id, cancel) is { } message && IsHeld(message) ? message.Recipients.Length : 0;
                return recipients > 0 && await Spool.RemoveAsync(id, cancel) ? recipients : 0;
            }, cancel);
        }

        var login = selection.All ? null : await LoginAsync(selection.Login!, cancel);
        return await SomeAsync("dropped", login, await Spool.RemoveHeldOfAsync(login, MessagesAtOnce, cancel), false, cancel);
    }

    private async ValueTask<HeldAnswer> SomeAsync(string what, string? login, BulkChange change, bool cleared, CancellationToken cancel)
    {
        if (change.Messages > 0)
        {
            services.Log.Write(new MailEvent.HeldChanged(what, login ?? "", change.Messages, change.Recipients));
            services.Handoff.Wake();
        }

        var more = change.Messages == MessagesAtOnce;
        var left = more ? 0 : (await Spool.HeldAsync(login, GroupsMax, cancel)).Sum(group => group.Messages);
        var of = login is null ? "" : $" of {DisplayText.Sanitize(login)}";
        var message = change.Messages > 0 || left > 0
            ? $"{Count(change.Messages, "message")}{of} {what}" + (left > 0 ? $"; {left} just being relayed and left: try again in a moment" : "")
            : cleared ? $"nothing{of} was held; it may send again" : $"nothing{of} is held";
        var code = change.Messages > 0 ? Changed(what) : left > 0 ? AdminCodes.MessagesLeft
            : cleared ? AdminCodes.SendingResumed : AdminCodes.NothingHeld;
        return new(change.Messages > 0 || cleared, code, message, change.Messages, change.Recipients, more, left);
    }

    private async ValueTask<HeldAnswer> EachAsync(
        HeldSelection selection, string what, Func<QueueId, Task<int>> change, CancellationToken cancel)
    {
        var ids = selection.QueueIds.Select(text => text.Trim().ToUpperInvariant()).Distinct()
            .Select(text => (Text: text, Id: QueueId.TryParse(text, out var id) ? id : default(QueueId?))).ToList();
        if (ids.Find(one => one.Id is null) is { Text: { } wrong })
        {
            return new(false, AdminCodes.InvalidQueueId, $"\"{DisplayText.Sanitize(wrong)}\" is not a queue ID", 0, 0, false, 0);
        }

        // Started together they share commits, as sessions do.
        var changed = await Task.WhenAll(ids.ConvertAll(one => change(one.Id!.Value)));
        var messages = changed.Count(recipients => recipients > 0);
        var not = ids.Where((_, i) => changed[i] == 0).Select(one => one.Text).ToList();
        if (messages > 0)
        {
            services.Log.Write(new MailEvent.HeldChanged(what, "", messages, changed.Sum()));
            services.Handoff.Wake();
        }

        cancel.ThrowIfCancellationRequested();
        var code = not.Count == 0 ? Changed(what) : AdminCodes.MessagesLeft;
        return new(not.Count == 0, code, $"{Count(messages, "message")} {what}" + (not.Count == 0 ? ""
            : $"; not held, or just being relayed: {string.Join(", ", not.Take(5))}{(not.Count > 5 ? $" and {not.Count - 5} more" : "")}"),
            messages, changed.Sum(), false, 0);
    }

    private static HeldAnswer? Mistake(HeldSelection selection) =>
        (selection.Login is null ? 0 : 1) + (selection.All ? 1 : 0) + (selection.QueueIds.Length > 0 ? 1 : 0) != 1
            ? new(false, AdminCodes.InvalidSelection, "name a login, or queue IDs, or all", 0, 0, false, 0)
            : selection.QueueIds.Length > NamesMax
                ? new(false, AdminCodes.InvalidSelection, $"at most {NamesMax} queue IDs at once", 0, 0, false, 0) : null;

    /// <summary>As the spool has it, whatever its letters' case and whichever of its names it is.</summary>
    private async ValueTask<string> LoginAsync(string typed, CancellationToken cancel) =>
        (await Spool.HeldAsync(null, GroupsMax, cancel)).FirstOrDefault(
            group => group.Login.Equals(typed, StringComparison.OrdinalIgnoreCase))?.Login ?? await LoginNaming.OfAsync(services, typed, cancel);

    private static bool IsHeld(SpooledMessage message) => message.Recipients.Any(recipient => recipient.State == RecipientState.Held);

    private static HeldView View(HeldGroup group) => new(group.Login, group.Reason, group.Messages, group.Recipients, group.Oldest, group.Newest,
        [.. group.Samples.Select(sample => new HeldSampleView(sample.Sender, sample.Recipient))]);

    private static string Changed(string what) => what == "released" ? AdminCodes.MessagesReleased : AdminCodes.MessagesDropped;

    private static string Count(int n, string thing) => $"{n} {thing}{(n == 1 ? "" : "s")}";
}
