using Sallyport.Mail.Smtp;
using Sallyport.Server.Identity;

namespace Sallyport.Server.Submission;

/// <content>SCRAM: with a verifier of ours, or led by a directory's own server.</content>
public sealed partial class SubmissionDriver
{
    private IDirectoryExchange? _exchange;

    private async Task<Turn> FindVerifierAsync(Turn.AskVerifier ask)
    {
        switch (await _settings.Identity.BeginScramAsync(Attempt(ask.Login), ask.ClientFirst, default))
        {
            case ScramBeginning.Theirs theirs:
                _exchange = theirs.Exchange;
                _loginKnown = true;
                _loginWhy = "";
                return _session.AnswerExchange(new ExchangeAnswer.Challenge(theirs.Challenge));
            case ScramBeginning.Ours ours:
                _verifierFrom = ours.Directory;
                _loginKnown = ours.Answer is VerifierAnswer.Found && ours.Directory.Length > 0;
                _loginWhy = ours.Answer is VerifierAnswer.Unavailable unavailable ? unavailable.Why : "";
                return _session.AnswerVerifier(ours.Answer);
            default:
                return _session.AnswerVerifier(new VerifierAnswer.Unavailable(""));
        }
    }

    private async Task<Turn> ContinueExchangeAsync(Turn.AskExchange ask)
    {
        (var answer, _loginWhy) = await _settings.Identity.ContinueAsync(_exchange!, ask.Response, default);
        return answer is ExchangeAnswer.Ended ended ? await AnswerAsync(ended.Login) : _session.AnswerExchange(answer);
    }

    /// <summary>Calls off an exchange that is not over, so that the other server does not wait for its end.</summary>
    private async ValueTask DropExchangeAsync()
    {
        if (_exchange is { } exchange)
        {
            _exchange = null;
            await exchange.DisposeAsync();
        }
    }
}
