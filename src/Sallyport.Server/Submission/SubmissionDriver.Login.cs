using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <content>Who: the exchange, the questions to the directories, and the one place where a login is logged.</content>
public sealed partial class SubmissionDriver
{
    private string _verifierFrom = "";
    private string _loginWhy = "";
    private bool _loginKnown;
    private bool _loginAgain;

    private async Task<SessionAction> ContinueSaslAsync(SessionAction.ContinueSasl next)
    {
        Say(next.Reply);
        var line = await ReadLineAsync(_limits.AuthLineBytes);
        return line.Kind switch
        {
            LineKind.Line => ReceiveSasl(line.Octets),
            LineKind.TooLong => _session.SaslLineTooLong(),
            LineKind.BareLineFeed => _session.ReceiveSasl("?"u8),
            _ => new SessionAction.HangUp(Replies.AuthTooLong),
        };
    }

    private SessionAction ReceiveSasl(byte[] line)
    {
        if (BeginProof(line) is { } notNow)
        {
            return notNow;
        }

        var turn = _session.ReceiveSasl(line);
        LogLogin(); // SCRAM ends here, with the client's empty answer to our proof
        return turn;
    }

    private bool IsScram => _session.Mechanism is SaslServer.Scram or SaslServer.ScramPlus;

    private LoginAttempt Attempt(string login) => new(SessionId, _wire.Client, _session.Mechanism, login)
    {
        ClientPort = _wire.ClientPort,
        Server = _wire.Server,
    };

    private async Task<SessionAction> CheckPasswordAsync(SessionAction.AskPassword ask)
    {
        var verdict = await _settings.Identity.CheckPasswordAsync(Attempt(ask.Login), ask.Password, default);
        _loginKnown = verdict is LoginVerdict.Denied { IsKnown: true };
        return await AnswerAsync(verdict);
    }

    private async Task<SessionAction> FindGrantAsync(SessionAction.AskGrant ask)
    {
        var verdict = await _settings.Identity.FindProvenAsync(Attempt(ask.Login), _verifierFrom, ask.Keys, default);
        await EndProofIfGrantedAsync(verdict);
        return await AnswerAsync(verdict);
    }

    private async Task<SessionAction> CheckTokenAsync(SessionAction.AskToken ask)
    {
        return await AnswerAsync(await _settings.Identity.CheckTokenAsync(Attempt(ask.Login), ask.Token, default));
    }

    private async Task<SessionAction> CheckCertificateAsync(SessionAction.AskCertificate ask)
    {
        return await AnswerAsync(
            await _settings.Identity.CheckCertificateAsync(Attempt(ask.AuthorizationIdentity), ask.Certificate, default));
    }

    private async ValueTask<SessionAction> AnswerAsync(LoginVerdict verdict)
    {
        _loginWhy = verdict.Why;
        _loginAgain = verdict.Reason == LoginReason.RepeatedSecret;
        var turn = _session.AnswerLogin(await AdmitAsync(LoginAnswers.Of(verdict)));
        LogLogin();
        return turn;
    }

    /// <summary>The one place where a failed login is logged, whoever judged it.</summary>
    private async Task TellLoginFailureAsync()
    {
        if (_session.TakeLoginFailure() is not { } failure)
        {
            return;
        }

        await EndProofAsync(failure != LoginFailure.Wrong ? LoginOutcome.Unavailable
            : _loginKnown ? LoginOutcome.Wrong : LoginOutcome.UnknownLogin);
        if (failure == LoginFailure.OverLimit)
        {
            return; // the limit has its own line, and no login has failed
        }

        if (_loginAgain)
        {
            _loginAgain = false; // the guard has said so: a line of its own, which no script takes for a failed login
            return;
        }

        var why = (_loginWhy, failure) switch
        {
            ({ Length: > 0 } directory, _) => directory,
            (_, LoginFailure.Malformed) => "the client's answer cannot be read",
            (_, LoginFailure.Cancelled) => "cancelled by the client",
            _ when SaslServer.ByToken.Contains(_session.Mechanism) => "what was sent can be no token",
            _ => "wrong password, wrong binding or unknown login", // SCRAM fails without a question to a directory
        };
        var typed = _loginKnown ? _session.LoginTyped : LoginText.OfUnknown(_session.LoginTyped);
        (_loginWhy, _loginKnown) = ("", false);
        _services.Log.Write(failure is LoginFailure.Unavailable or LoginFailure.Cancelled
            ? new MailEvent.LoginUnavailable(SessionId, _client, typed, _session.Mechanism, why)
            : new MailEvent.LoginFailed(SessionId, _client, typed, _session.Mechanism, why));
    }

    private void LogLogin()
    {
        if (_session.Grant is { } grant)
        {
            _grantedAt = _services.Time.GetTimestamp();
            _services.Log.Write(new MailEvent.LoginSucceeded(
                SessionId, _client, grant.Login, _session.LoginTyped, grant.Directory, _session.Mechanism)
            { AppPassword = grant.Through?.Label ?? "", Note = grant.Outage.Length == 0 ? grant.Note : "" });
            if (grant.Outage.Length > 0)
            {
                _services.Log.Write(new MailEvent.OutageLogin(SessionId, _client, grant.Login, grant.Outage, grant.Note));
            }
        }
    }
}
