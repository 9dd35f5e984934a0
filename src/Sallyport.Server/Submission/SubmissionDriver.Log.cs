using Sallyport.Mail.Smtp;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <content>What one session may write to the log again and again is written a bounded number of times.</content>
public sealed partial class SubmissionDriver
{
    /// <summary>Refused senders and recipients that get a line each; the rest are counted.</summary>
    private const int RefusalLinesMax = 20;

    private int _policyRefusals;
    private bool _loginInClearLogged;

    private void LogPolicyRefusal(Reply? refusal, string subject)
    {
        if (refusal is not null && ++_policyRefusals <= RefusalLinesMax)
        {
            LogRefusal(refusal, subject);
        }
    }

    private void LogOmittedRefusals()
    {
        if (_policyRefusals > RefusalLinesMax)
        {
            _services.Log.Write(new MailEvent.RefusalsOmitted(
                SessionId, _client, _session.Grant?.Login ?? "", _policyRefusals - RefusalLinesMax));
        }
    }

    /// <summary>The client is refused and goes on; its owner does not know that what it sent could be read on the way.</summary>
    private void LogLoginInClear(Command command)
    {
        if (command.Verb == Verb.Auth && _loginNeedsTls && _session.Tls is null && !_loginInClearLogged)
        {
            _loginInClearLogged = true;
            _services.Log.Write(new MailEvent.LoginInClear(SessionId, _client, (command as Command.Auth)?.Mechanism ?? ""));
        }
    }
}
