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
            case ScramBeginning.Theirs theirs:
                _exchange = theirs.Exchange;
                _proofIsDue = true;
                _loginKnown = true;
                _loginWhy = "";
                return _session.AnswerExchange(new ExchangeAnswer.Challenge(theirs.Challenge));
            case ScramBeginning.Ours ours:
                _verifierFrom = ours.Directory;
                _proofIsDue = ours.Answer is VerifierAnswer.Found;
                _loginKnown = ours.Answer is VerifierAnswer.Found && ours.Directory.Length > 0;
                _loginWhy = ours.Answer is VerifierAnswer.Unavailable unavailable ? unavailable.Why : "";
                return _session.AnswerVerifier(ours.Answer);
            default:
                return _session.AnswerVerifier(new VerifierAnswer.Unavailable(""));
        }
    }

    private async Task<SessionAction> ContinueExchangeAsync(SessionAction.AskExchange ask)
    {
        (var answer, _loginWhy) = await _settings.Identity.ContinueAsync(_exchange!, ask.Response, default);
        await EndProofIfGrantedAsync((answer as ExchangeAnswer.Ended)?.Login);
        return answer is ExchangeAnswer.Ended ended ? await AnswerAsync(ended.Login) : _session.AnswerExchange(answer);
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
        if (_settings.Identity.BeginProof(attempt) is { } why)
        {
            _loginWhy = why;
            return _session.AnswerVerifier(new VerifierAnswer.Unavailable(why));
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
            await _settings.Identity.ScramJudgedAsync(attempt, outcome, _proofAt, default);
        }
    }

    private Task EndProofIfGrantedAsync(LoginAnswer? answer) =>
        answer is LoginAnswer.Granted ? EndProofAsync(LoginOutcome.Right) : Task.CompletedTask;

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
