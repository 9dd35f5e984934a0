using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Submission;

/// <summary>
/// Who: the SASL exchange, the questions to the directories, the guard's part in a proof, and the one place where a login is logged.
/// </summary>
internal sealed class LoginConversation(
    SessionScope scope, SubmissionSession session, SessionAccounting accounting, SessionLog log, LineReader lines, ReplyWriter replies)
{
    /// <summary>How long a session trusts what its directory said of the login.</summary>
    private static readonly TimeSpan GrantHoldsFor = TimeSpan.FromSeconds(5);

    private IDirectoryExchange? _exchange;
    private LoginAttempt? _proof;
    private AttemptNotes _attempt = AttemptNotes.None;
    private string _verifierFrom = "";
    private bool _proofIsDue;
    private long _proofAt;
    private long _grantedAt;

    private IdentityService Identity => scope.Site.Identity;

    /// <summary>Does what one step of a login asks; null when that is not of a login.</summary>
    public async ValueTask<SessionAction?> FollowAsync(SessionAction action) => action switch
    {
        SessionAction.ContinueSasl next => await ContinueAsync(next),
        SessionAction.AskPassword ask => await CheckPasswordAsync(ask),
        SessionAction.AskVerifier ask => await FindVerifierAsync(ask),
        SessionAction.AskExchange ask => await ContinueExchangeAsync(ask),
        SessionAction.AskGrant ask => await FindGrantAsync(ask),
        SessionAction.AskToken ask => await FinishAsync(await Identity.CheckTokenAsync(Attempt(ask.Login), ask.Token, default)),
        SessionAction.AskCertificate ask =>
            await FinishAsync(await Identity.CheckCertificateAsync(Attempt(ask.AuthorizationIdentity), ask.Certificate, default)),
        SessionAction.LoginFailed failed => await FailAsync(failed),
        _ => null,
    };

    /// <summary>Asks again at MAIL, so that a stolen account is stopped when it is disabled and not a session later.</summary>
    public async ValueTask<bool> IsRevokedAsync()
    {
        var grant = session.Grant!;
        if (Identity.RevokedSince(grant) is { } since)
        {
            log.Refused(Replies.LoginRevoked, $"{grant.Login}: {since.Why}");
            return true;
        }

        if (scope.Time.GetElapsedTime(_grantedAt) < GrantHoldsFor)
        {
            return false;
        }

        _grantedAt = scope.Time.GetTimestamp();
        var verdict = await Identity.AskAgainAsync(grant, grant.AskedAs ?? session.LoginTyped, default);
        if (verdict is LoginVerdict.Granted granted)
        {
            session.RenewGrant(granted.Grant with { AskedAs = grant.AskedAs });
        }
        else if (verdict is not null)
        {
            log.Refused(Replies.LoginRevoked, $"{grant.Login}: {verdict.Why}");
            return true;
        }

        return false;
    }

    /// <summary>Calls off an exchange that is not over, so that the other server does not wait for its end.</summary>
    public async ValueTask DropAsync()
    {
        _proofIsDue = false;
        await EndProofAsync(LoginOutcome.Unavailable);
        if (_exchange is { } exchange)
        {
            _exchange = null;
            await exchange.DisposeAsync();
        }
    }

    private async ValueTask<SessionAction> ContinueAsync(SessionAction.ContinueSasl next)
    {
        replies.Say(next.Reply);
        var line = await lines.ReadAsync(scope.Limits.AuthLineBytes);
        return line.Kind switch
        {
            LineKind.Line => Receive(line.Octets),
            LineKind.TooLong => session.SaslLineTooLong(),
            LineKind.BareLineFeed => session.ReceiveSasl("?"u8),
            _ => new SessionAction.HangUp(Replies.AuthTooLong),
        };
    }

    private SessionAction Receive(byte[] line)
    {
        if (BeginProof(line) is { } notNow)
        {
            return notNow;
        }

        var action = session.ReceiveSasl(line);
        LogSuccess(); // SCRAM ends here, with the client's empty answer to our proof
        return action;
    }

    private LoginAttempt Attempt(string login) => new(scope.Id, scope.Wire.Client, session.Mechanism, login)
    {
        ClientPort = scope.Wire.ClientPort,
        Server = scope.Wire.Server,
    };

    private async ValueTask<SessionAction> CheckPasswordAsync(SessionAction.AskPassword ask)
    {
        var verdict = await Identity.CheckPasswordAsync(Attempt(ask.Login), ask.Password, default);
        _attempt = _attempt with { IsKnown = verdict is LoginVerdict.Denied { IsKnown: true } };
        return await FinishAsync(verdict);
    }

    private async ValueTask<SessionAction> FindVerifierAsync(SessionAction.AskVerifier ask)
    {
        switch (await Identity.BeginScramAsync(Attempt(ask.Login), ask.ClientFirst, default))
        {
            case LoginVerdict.Challenge theirs:
                _exchange = theirs.Exchange;
                _proofIsDue = true;
                _attempt = new("", IsKnown: true);
                return session.AnswerExchange(new ExchangeAnswer.Challenge(theirs.Octets));
            case LoginVerdict.Verifier ours:
                (_verifierFrom, _proofIsDue) = (ours.Directory, true);
                _attempt = new("", IsKnown: ours.Directory.Length > 0);
                return session.AnswerVerifier(new VerifierAnswer.Found(ours.Value, ours.Nonce));
            case var other:
                (_verifierFrom, _proofIsDue) = (other.Directory, false);
                _attempt = new(other.Why);
                return session.AnswerVerifier(new VerifierAnswer.Unavailable(other.Why));
        }
    }

    private async ValueTask<SessionAction> ContinueExchangeAsync(SessionAction.AskExchange ask)
    {
        var verdict = await Identity.ContinueAsync(_exchange!, ask.Response, default);
        await EndProofIfGrantedAsync(verdict);
        return verdict is LoginVerdict.Challenge next
            ? session.AnswerExchange(new ExchangeAnswer.Challenge(next.Octets))
            : await FinishAsync(verdict);
    }

    private async ValueTask<SessionAction> FindGrantAsync(SessionAction.AskGrant ask)
    {
        var verdict = await Identity.FindProvenAsync(Attempt(ask.Login), _verifierFrom, ask.Keys, default);
        await EndProofIfGrantedAsync(verdict);
        return await FinishAsync(verdict);
    }

    private async ValueTask<SessionAction> FinishAsync(LoginVerdict verdict)
    {
        _attempt = new(verdict.Why, _attempt.IsKnown, verdict.Reason == LoginReason.RepeatedSecret);
        var action = session.AnswerLogin(await accounting.AdmitAsync(LoginAnswers.Of(verdict)));
        LogSuccess();
        return action;
    }

    /// <summary>The client's line is the proof: it counts before anybody judges it. An action when nobody may, now.</summary>
    private SessionAction? BeginProof(byte[] line)
    {
        if (!_proofIsDue || line is [(byte)'*'])
        {
            return null;
        }

        _proofIsDue = false;
        var attempt = Attempt(session.LoginTyped);
        if (Identity.BeginProof(attempt) is { } notNow)
        {
            _attempt = _attempt with { Why = notNow.Why };
            return session.AnswerVerifier(new VerifierAnswer.Unavailable(notNow.Why));
        }

        (_proof, _proofAt) = (attempt, scope.Time.GetTimestamp());
        return null;
    }

    /// <summary>Tells the guard what came of the proof, if there was one, and waits as long as it says.</summary>
    private async ValueTask EndProofAsync(LoginOutcome outcome)
    {
        if (_proof is { } attempt)
        {
            _proof = null;
            await Identity.EndProofAsync(attempt, outcome, _proofAt, default);
        }
    }

    private ValueTask EndProofIfGrantedAsync(LoginVerdict verdict) =>
        verdict is LoginVerdict.Granted ? EndProofAsync(LoginOutcome.Right) : ValueTask.CompletedTask;

    /// <summary>The one place where a failed login is logged, whoever judged it.</summary>
    private async ValueTask<SessionAction> FailAsync(SessionAction.LoginFailed failed)
    {
        var (failure, notes) = (failed.Failure, _attempt);
        await EndProofAsync(failure != LoginFailure.Wrong ? LoginOutcome.Unavailable
            : notes.IsKnown ? LoginOutcome.Wrong : LoginOutcome.UnknownLogin);
        if (failure == LoginFailure.OverLimit)
        {
            return failed.Next; // the limit has its own line, and no login has failed
        }

        if (notes.IsRepeated)
        {
            _attempt = notes with { IsRepeated = false };
            return failed.Next; // the guard has said so: a line of its own, which no script takes for a failed login
        }

        var typed = notes.IsKnown ? session.LoginTyped : LoginText.OfUnknown(session.LoginTyped);
        var why = notes.Explain(failure, session.Mechanism);
        _attempt = AttemptNotes.None;
        log.Write(failure is LoginFailure.Unavailable or LoginFailure.Cancelled
            ? new MailEvent.LoginUnavailable(scope.Id, scope.Client, typed, session.Mechanism, why)
            : new MailEvent.LoginFailed(scope.Id, scope.Client, typed, session.Mechanism, why));
        return failed.Next;
    }

    private void LogSuccess()
    {
        if (session.Grant is not { } grant)
        {
            return;
        }

        _grantedAt = scope.Time.GetTimestamp();
        log.Write(new MailEvent.LoginSucceeded(scope.Id, scope.Client, grant.Login, session.LoginTyped, grant.Directory, session.Mechanism)
        {
            AppPassword = grant.Through?.Label ?? "",
            Note = grant.Outage.Length == 0 ? grant.Note : "",
        });
        if (grant.Outage.Length > 0)
        {
            log.Write(new MailEvent.OutageLogin(scope.Id, scope.Client, grant.Login, grant.Outage, grant.Note));
        }
    }

    /// <summary>What is known of the attempt so far, for the log.</summary>
    /// <param name="Why">In the directory's words; empty when it said nothing.</param>
    /// <param name="IsKnown">A directory knows the login, so that it may be named.</param>
    /// <param name="IsRepeated">This very secret was refused before.</param>
    private readonly record struct AttemptNotes(string Why, bool IsKnown = false, bool IsRepeated = false)
    {
        public static AttemptNotes None { get; } = new("");

        public string Explain(LoginFailure failure, string mechanism) => (Why, failure) switch
        {
            ({ Length: > 0 } said, _) => said,
            (_, LoginFailure.Malformed) => "the client's answer cannot be read",
            (_, LoginFailure.Cancelled) => "cancelled by the client",
            _ when SaslServer.ByToken.Contains(mechanism) => "what was sent can be no token",
            _ => "wrong password, wrong binding or unknown login", // SCRAM fails without a question to a directory
        };
    }
}
