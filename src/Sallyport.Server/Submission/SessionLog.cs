using Sallyport.Mail.Policy;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <summary>What one session writes to the log; what it could write again and again is written a bounded number of times.</summary>
internal sealed class SessionLog(SessionScope scope, SubmissionSession session, bool loginNeedsTls)
{
    /// <summary>Refused senders and recipients that get a line each; the rest are counted.</summary>
    private const int RefusalLinesMax = 20;

    private readonly IMailLog _log = scope.Services.Log;
    private int _refusals;
    private bool _loginInClearTold;

    public void Write(MailEvent mailEvent) => _log.Write(mailEvent);

    public void Refused(Reply refusal, string subject) => _log.Write(new MailEvent.Refused(
        scope.Id, scope.Client, Login, subject, refusal, session.Grant?.Addresses.FirstOrDefault() ?? ""));

    /// <summary>A sender or recipient was refused.</summary>
    public void RefusedByPolicy(Reply refusal, string subject)
    {
        if (++_refusals <= RefusalLinesMax)
        {
            Refused(refusal, subject);
        }
    }

    public void RefusedByLimit(string login, LimitReached reached, Reply refusal, string subject)
    {
        if (++_refusals <= RefusalLinesMax)
        {
            _log.Write(new MailEvent.LimitReached(scope.Id, scope.Client, login, subject, reached.Subject, reached.Limit.Measure,
                reached.Limit.Window, reached.Used, reached.Limit.Allowed, reached.FreeAt, refusal));
        }
    }

    /// <summary>The store takes no mail.</summary>
    public void StoreRefuses(Reply refusal, string subject, string cause)
    {
        if (++_refusals <= RefusalLinesMax)
        {
            NotStored(null, subject, refusal, cause);
        }
    }

    /// <summary>A message that had arrived was not stored.</summary>
    public void NotStored(QueueId? id, string subject, Reply refusal, string cause) =>
        _log.Write(new MailEvent.StoreRefused(scope.Id, id, scope.Client, Login, subject, cause, refusal));

    public void UngrantedSender(string where, string address) => _log.Write(new MailEvent.UngrantedSenderAllowed(
        scope.Id, scope.Client, Login, where, address, session.Grant!.Mode));

    /// <summary>The client is refused and goes on; its owner does not know that what it sent could be read on the way.</summary>
    public void LoginInClear(Command command)
    {
        if (command.Verb == Verb.Auth && loginNeedsTls && session.Tls is null && !_loginInClearTold)
        {
            _loginInClearTold = true;
            _log.Write(new MailEvent.LoginInClear(scope.Id, scope.Client, (command as Command.Auth)?.Mechanism ?? ""));
        }
    }

    public void Closed(string why)
    {
        if (_refusals > RefusalLinesMax)
        {
            _log.Write(new MailEvent.RefusalsOmitted(scope.Id, scope.Client, Login, _refusals - RefusalLinesMax));
        }

        _log.Write(new MailEvent.ConnectionClosed(scope.Id, scope.Client, session.Messages, why));
    }

    private string Login => session.Grant?.Login ?? "";
}
