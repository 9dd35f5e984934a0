using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Sending;

namespace Sallyport.Server.Submission;

/// <summary>What the login sends: reserved against its limits step by step, released where nothing came of it.</summary>
internal sealed class SessionAccounting(SessionScope scope, SessionLog log)
{
    private SendingConnection? _connection;
    private SendingTransaction? _transaction;
    private SendingLogin? _login;
    private (Grant? Grant, ImmutableArray<Quota> Quotas) _loginOf;

    /// <summary>A login that is right counts against its connections before the client hears of it.</summary>
    public async ValueTask<LoginAnswer> AdmitAsync(LoginAnswer answer)
    {
        if (answer is not LoginAnswer.Granted { Grant: var grant })
        {
            return answer;
        }

        _connection?.End(); // of an exchange that was broken off
        await Ledger.LoadContactsAsync(grant.Login);
        if (Ledger.TryConnect(LoginOf(grant), scope.Wire.Client, out _connection) is not { } reached)
        {
            return answer;
        }

        var refusal = LimitReplies.ForLogin(reached, Now);
        log.RefusedByLimit(grant.Login, reached, refusal, "(login)");
        return new LoginAnswer.OverLimit(refusal);
    }

    /// <summary>A message begins. Null when it may.</summary>
    public async ValueTask<Reply?> BeginAsync(Grant grant, SessionAction.AskSender ask)
    {
        var login = LoginOf(grant);
        await Ledger.LoadContactsAsync(login.Login);
        return Ledger.TryBegin(login, ask.DeclaredBytes, out _transaction) is { } reached
            ? RefuseMessage(login.Login, reached, ask.ReversePath.ToString())
            : null;
    }

    /// <summary>One recipient more. Null when it may be written to.</summary>
    public Reply? Add(string login, ForwardPath path)
    {
        if (_transaction?.AddRecipient(path.Mailbox) is not { } reached)
        {
            return null;
        }

        var refusal = LimitReplies.ForRecipient(reached, Now);
        log.RefusedByLimit(login, reached, refusal, path.ToString());
        return refusal;
    }

    /// <summary>The content's real length: MAIL need not have said it, or not the truth. Null when it may be sent.</summary>
    public Reply? ReserveContentBytes(string login, long bytes, QueueId id) =>
        _transaction?.SetBytes(bytes) is { } reached ? RefuseMessage(login, reached, $"{id} (content)") : null;

    /// <summary>Why the message about to be committed is held; null when it is not.</summary>
    public string? ShouldHold(Envelope envelope) => _transaction?.ShouldHold(scope.Services.Watch, scope.Wire.Client,
        [.. envelope.Recipients.Take(SendingFacts.SampleMax).Select(recipient => recipient.Path.Mailbox.ToString())]);

    /// <summary>The message is durable.</summary>
    public void Committed(bool held) => _transaction?.Committed(held);

    /// <summary>The transaction is over: what was not committed is free again.</summary>
    public void Release() => _transaction?.Release();

    public void EndConnection()
    {
        Release();
        _connection?.End();
    }

    private UsageLedger Ledger => scope.Services.Sending;

    private DateTimeOffset Now => scope.Time.GetUtcNow();

    private Reply RefuseMessage(string login, LimitReached reached, string subject)
    {
        var refusal = LimitReplies.ForMessage(reached, Now);
        log.RefusedByLimit(login, reached, refusal, subject);
        return refusal;
    }

    /// <summary>By the configuration of now: a limit changed by a reload counts from the next message.</summary>
    private SendingLogin LoginOf(Grant grant)
    {
        var quotas = scope.Services.Site.Options.Quotas;
        if (_login is null || !ReferenceEquals(_loginOf.Grant, grant) || _loginOf.Quotas != quotas)
        {
            _loginOf = (grant, quotas);
            _login = SendingLogin.Of(grant, quotas);
        }

        return _login;
    }
}
