using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Routing;
using Sallyport.Store;

namespace Sallyport.Server.Admin;

/// <summary>What the door needs of the process it is in.</summary>
/// <param name="Settings">Options, routes and directories in force.</param>
/// <param name="StartedAt">Null where no server runs.</param>
/// <param name="Wake">Tells the relay that something fell due.</param>
/// <param name="Connections">Open connections.</param>
public sealed record AdminServices(
    IStore Store,
    Func<(ServerOptions Options, RouteTable Routes, IdentityService Identity)> Settings,
    TimeProvider Time,
    DateTimeOffset? StartedAt,
    Action Wake,
    Func<int> Connections);

/// <summary>The door, in the process that has the store open.</summary>
public sealed class LocalAdmin(AdminServices services) : IAdmin
{
    private const int QueueMost = 10_000;

    public async ValueTask<ServerStatus> StatusAsync(CancellationToken cancel)
    {
        var totals = await services.Store.Spool.TotalsAsync(cancel);
        return new ServerStatus(
            services.StartedAt is not null, Version.Text, services.StartedAt, services.Store.Spool.Health.ToString().ToLowerInvariant(),
            totals.Messages, totals.Recipients, totals.Due, totals.InProgress, totals.Held, totals.Bytes, totals.OldestReceivedAt,
            services.Connections());
    }

    public async ValueTask<UserView[]> ListUsersAsync(CancellationToken cancel) =>
        [.. (await services.Store.Accounts.ListAsync(cancel)).Select(View)];

    public async ValueTask<AdminAnswer> AddUserAsync(NewUser user, CancellationToken cancel)
    {
        if (Credentials.PrepareLogin(user.Login) is not { } login || login.Length > 256)
        {
            return new(false, $"\"{Replies.Printable(user.Login)}\" cannot be a login: it needs 1 to 256 printable characters");
        }

        if (user.Addresses.FirstOrDefault(address => !MailboxParser.TryParse(address, out _)) is { } wrong)
        {
            return new(false, $"\"{Replies.Printable(wrong)}\" is not a mail address");
        }

        var account = new Account(login, ToVerifier(user.Verifier), [.. user.Addresses], false, services.Time.GetUtcNow());
        if (!await services.Store.Accounts.AddAsync(account, cancel))
        {
            return new(false, $"{login} exists already; `sallyport user passwd` sets a password");
        }

        var addresses = LocalDirectory.AddressesOf(account);
        return new(true, addresses.IsEmpty
            ? $"{login} added; it may log in but send as nobody: it is no address itself, and no --address was given"
            : $"{login} added; it may send as {string.Join(", ", addresses)}");
    }

    public async ValueTask<AdminAnswer> RemoveUserAsync(string login, CancellationToken cancel) =>
        await services.Store.Accounts.RemoveAsync(login, cancel) ? new(true, $"{login} removed") : Unknown(login);

    public ValueTask<AdminAnswer> SetPasswordAsync(string login, VerifierView verifier, CancellationToken cancel) =>
        UpdateAsync(login, account => account with { Verifier = ToVerifier(verifier) }, "has a new password", cancel);

    public ValueTask<AdminAnswer> SetDisabledAsync(string login, bool disabled, CancellationToken cancel) =>
        UpdateAsync(login, account => account with { Disabled = disabled },
            disabled ? "is disabled: its next login is refused" : "is enabled", cancel);

    public async ValueTask<QueuedView[]> ListQueueAsync(QueueQuery query, CancellationToken cancel)
    {
        QueueId? after = QueueId.TryParse(query.After, out var id) ? id : null;
        var filter = new QueueFilter(
            ToState(query.State), query.Login, query.Sender, query.Recipient, after, Math.Clamp(query.Most, 1, QueueMost));
        return [.. (await services.Store.Spool.ListAsync(filter, cancel)).Select(View)];
    }

    public async ValueTask<QueuedView?> ShowQueuedAsync(string queueId, CancellationToken cancel) =>
        QueueId.TryParse(queueId, out var id) && await services.Store.Spool.FindAsync(id, cancel) is { } message ? View(message) : null;

    public async ValueTask<AdminAnswer> ChangeQueuedAsync(string queueId, string action, CancellationToken cancel)
    {
        var spool = services.Store.Spool;
        if (!QueueId.TryParse(queueId, out var id) || await spool.FindAsync(id, cancel) is null)
        {
            return new(false, $"no message {Replies.Printable(queueId)} is in the queue");
        }

        AdminAnswer answer;
        switch (action)
        {
            case "hold":
                answer = Count(await spool.HoldAsync(id, "by the operator", cancel), "held", "nothing to hold: none is due");
                break;
            case "release":
                answer = Count(await spool.ReleaseHeldAsync(id, cancel), "released", "nothing to release: none is held");
                break;
            case "retry":
                answer = Count(await spool.RetryNowAsync(id, services.Time.GetUtcNow(), cancel), "due now", "nothing to retry: none is due later");
                break;
            case "remove":
                answer = await spool.RemoveAsync(id, cancel)
                    ? new(true, $"{id} removed; its sender is not told")
                    : new(false, $"{id} is just being relayed; try again in a moment");
                break;
            default:
                return new(false, $"\"{Replies.Printable(action)}\" is no action; hold, release, retry and remove are");
        }

        services.Wake();
        return answer;

        AdminAnswer Count(int n, string done, string nothing) =>
            n > 0 ? new(true, $"{id}: {n} recipient{(n == 1 ? "" : "s")} {done}") : new(false, $"{id}: {nothing}");
    }

    public async ValueTask<Explanation> ExplainAsync(ExplainQuery query, CancellationToken cancel)
    {
        var (_, routes, identity) = services.Settings();
        return await Explainer.ExplainAsync(query, routes, identity, cancel);
    }

    public async ValueTask<LoginTrial> TryLoginAsync(LoginQuery query, CancellationToken cancel) =>
        await Explainer.TryLoginAsync(query, services.Settings().Identity, cancel);

    public async ValueTask<LoginTrial> TryTokenAsync(TokenQuery query, CancellationToken cancel) =>
        await Explainer.TryTokenAsync(query, services.Settings().Identity, cancel);

    public ValueTask DisposeAsync() => services.StartedAt is null ? services.Store.DisposeAsync() : ValueTask.CompletedTask;

    public static VerifierView ToView(ScramVerifier verifier) =>
        new(verifier.Iterations, verifier.Salt.ToArray(), verifier.StoredKey.ToArray(), verifier.ServerKey.ToArray());

    private async ValueTask<AdminAnswer> UpdateAsync(string login, Func<Account, Account> change, string done, CancellationToken cancel) =>
        await services.Store.Accounts.FindAsync(login, cancel) is { } account && await services.Store.Accounts.UpdateAsync(change(account), cancel)
            ? new(true, $"{account.Login} {done}")
            : Unknown(login);

    private static AdminAnswer Unknown(string login) => new(false, $"there is no local account {Replies.Printable(login)}");

    private static ScramVerifier ToVerifier(VerifierView view) => new(view.Iterations, view.Salt, view.StoredKey, view.ServerKey);

    private static UserView View(Account account) =>
        new(account.Login, [.. LocalDirectory.AddressesOf(account)], account.Disabled, account.CreatedAt);

    private QueuedView View(SpooledMessage message)
    {
        var routes = services.Settings().Routes;
        var record = message.Record;
        return new(message.Id.ToString(), record.ReceivedAt, record.Login, record.ClientAddress, record.SessionId,
            record.Envelope.ReversePath.ToString(), record.MessageId, message.ContentBytes, record.HoldReason,
            [.. message.Recipients.Select(r => new RecipientView(r.Path.ToString(), StateName(r.State), r.Attempts,
                r.State == RecipientState.Due ? r.NextAttemptAt : null, r.LastReply, routes.Find(r.Path.Mailbox)?.ToString()))]);
    }

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
