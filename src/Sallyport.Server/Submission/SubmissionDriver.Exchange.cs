using Sallyport.Mail.Smtp;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity;

namespace Sallyport.Server.Submission;

/// <content>SCRAM: with a verifier of ours, or led by a directory's own server.</content>
public sealed partial class SubmissionDriver
{
    private IDirectoryExchange? _exchange;
    private bool _proofIsDue;
    private LoginAttempt? _proof;
    private long _proofAt;

    private async Task<SessionAction> FindVerifierAsync(SessionAction.AskVerifier ask)
    {
        switch (await _settings.Identity.BeginScramAsync(Attempt(ask.Login), ask.ClientFirst, default))
        {
            case LoginVerdict.Challenge theirs:
                _exchange = theirs.Exchange;
                _proofIsDue = true;
                _loginKnown = true;
                _loginWhy = "";
                return _session.AnswerExchange(new ExchangeAnswer.Challenge(theirs.Octets));
            case LoginVerdict.Verifier ours:
                _verifierFrom = ours.Directory;
                _proofIsDue = true;
                _loginKnown = ours.Directory.Length > 0;
                _loginWhy = "";
                return _session.AnswerVerifier(new VerifierAnswer.Found(ours.Value, ours.Nonce));
            case var other:
                (_verifierFrom, _proofIsDue, _loginKnown, _loginWhy) = (other.Directory, false, false, other.Why);
                return _session.AnswerVerifier(new VerifierAnswer.Unavailable(other.Why));
        }
    }

    private async Task<SessionAction> ContinueExchangeAsync(SessionAction.AskExchange ask)
    {
        var verdict = await _settings.Identity.ContinueAsync(_exchange!, ask.Response, default);
        await EndProofIfGrantedAsync(verdict);
        return verdict is LoginVerdict.Challenge next
            ? _session.AnswerExchange(new ExchangeAnswer.Challenge(next.Octets))
            : await AnswerAsync(verdict);
    }

    /// <summary>The client's line is the proof: it counts before anybody judges it. A turn when nobody may, now.</summary>
    private SessionAction? BeginProof(byte[] line)
    {
        if (!_proofIsDue || line is [(byte)'*'])
        {
            return null;
        }

        _proofIsDue = false;
        var attempt = Attempt(_session.LoginTyped);
        if (_settings.Identity.BeginProof(attempt) is { } notNow)
        {
            _loginWhy = notNow.Why;
            return _session.AnswerVerifier(new VerifierAnswer.Unavailable(notNow.Why));
        }

        (_proof, _proofAt) = (attempt, _services.Time.GetTimestamp());
        return null;
    }

    /// <summary>Tells the guard what came of the proof, if there was one, and waits as long as it says.</summary>
    private async Task EndProofAsync(LoginOutcome outcome)
    {
        if (_proof is { } attempt)
        {
            _proof = null;
            await _settings.Identity.EndProofAsync(attempt, outcome, _proofAt, default);
        }
    }

    private Task EndProofIfGrantedAsync(LoginVerdict verdict) =>
        verdict is LoginVerdict.Granted ? EndProofAsync(LoginOutcome.Right) : Task.CompletedTask;

    /// <summary>Calls off an exchange that is not over, so that the other server does not wait for its end.</summary>
    private async ValueTask DropExchangeAsync()
    {
        _proofIsDue = false;
        await EndProofAsync(LoginOutcome.Unavailable);
        if (_exchange is { } exchange)
        {
            _exchange = null;
            await exchange.DisposeAsync();
        }
    }
}
