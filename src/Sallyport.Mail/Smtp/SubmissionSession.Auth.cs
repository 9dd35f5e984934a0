using System.Collections.Immutable;
using Sallyport.Mail.Sasl;

namespace Sallyport.Mail.Smtp;

/// <content>AUTH (RFC 4954). Every attempt begins afresh: nothing of a failed one is kept (CVE-2011-1720).</content>
public sealed partial class SubmissionSession
{
    private ISaslMechanism? _exchange;
    private Policy.Grant? _granted;
    private byte[] _response = [];
    private int _authFailures;

    /// <summary>Mechanism of the last attempt, for the log.</summary>
    public string Mechanism { get; private set; } = "";

    /// <summary>The login of the last attempt as it was typed, for the log.</summary>
    public string LoginTyped { get; private set; } = "";

    /// <summary>A line of the exchange, without CRLF.</summary>
    public Turn ReceiveSasl(ReadOnlySpan<byte> line)
    {
        if (line.SequenceEqual("*"u8))
        {
            return EndAuth(Replies.AuthCancelled);
        }

        var response = SaslServer.DecodeBase64(line);
        return response is null ? EndAuth(Replies.AuthMalformed) : Follow(_exchange!.Receive(_response = response));
    }

    /// <summary>The line was longer than RFC 4954 §4 allows.</summary>
    public Turn SaslLineTooLong() => EndAuth(Replies.AuthTooLong);

    public Turn AnswerVerifier(VerifierAnswer answer) => answer is VerifierAnswer.Found found
        ? Follow(_exchange!.TakeVerifier(found.Verifier, found.ServerNonce))
        : EndAuth(Replies.AuthUnavailable);

    /// <summary>Answers <see cref="Turn.AskExchange"/>, and <see cref="Turn.AskVerifier"/> where a directory leads the exchange.</summary>
    public Turn AnswerExchange(ExchangeAnswer answer) => answer switch
    {
        ExchangeAnswer.Challenge challenge => Follow(_exchange!.TakeChallenge(challenge.Octets)),
        ExchangeAnswer.Ended ended => AnswerLogin(ended.Login),
        _ => EndAuth(Replies.AuthUnavailable),
    };

    public Turn AnswerLogin(LoginAnswer answer)
    {
        switch (answer)
        {
            case LoginAnswer.Granted granted:
                _granted = granted.Grant;
                return Follow(_exchange!.Granted());
            case LoginAnswer.Unavailable:
                return EndAuth(Replies.AuthUnavailable);
            default:
                return FailAuth();
        }
    }

    private ImmutableArray<string> Offered => SaslServer.Offer(context.Mechanisms, Tls is { ServerEndPoint.IsEmpty: false });

    private Turn StartAuth(Command.Auth auth)
    {
        Mechanism = auth.Mechanism;
        LoginTyped = "";
        _granted = null;
        _exchange = SaslServer.Create(auth.Mechanism, Offered, Tls?.ServerEndPoint ?? default, _limits.CredentialBytes);
        if (_exchange is null)
        {
            return Refuse(Replies.AuthMechanismUnknown);
        }

        if (auth.Initial is null)
        {
            return Follow(_exchange.Start(null));
        }

        // "=" is the empty initial response (RFC 4954 §4).
        var initial = auth.Initial.AsSpan().SequenceEqual("="u8) ? [] : SaslServer.DecodeBase64(auth.Initial);
        return initial is null ? EndAuth(Replies.AuthMalformed) : Follow(_exchange.Start(_response = initial));
    }

    private Turn Follow(SaslStep step)
    {
        switch (step)
        {
            case SaslStep.Challenge challenge:
                return new Turn.ContinueSasl(new Reply(334, null, Convert.ToBase64String(challenge.Octets.Span)));
            case SaslStep.AskPassword ask:
                LoginTyped = ask.Login;
                return Foreign(ask.Login, ask.AuthorizationIdentity)
                    ? FailAuth()
                    : new Turn.AskPassword(ask.Login, ask.AuthorizationIdentity, ask.Password);
            case SaslStep.AskVerifier ask:
                LoginTyped = ask.Login;
                return Foreign(ask.Login, ask.AuthorizationIdentity)
                    ? FailAuth()
                    : new Turn.AskVerifier(ask.Login, ask.AuthorizationIdentity, _response);
            case SaslStep.AskExchange ask:
                return new Turn.AskExchange(ask.Response);
            case SaslStep.AskGrant ask:
                return new Turn.AskGrant(ask.Login, ask.AuthorizationIdentity);
            case SaslStep.Done:
                Grant = _granted;
                State = SessionState.Authenticated;
                _exchange = null;
                return new Turn.Say(Replies.LoggedIn);
            case SaslStep.Failed failed:
                LoginTyped = failed.Login;
                return FailAuth();
            default:
                return EndAuth(Replies.AuthMalformed);
        }
    }

    /// <summary>Acting for somebody else is not granted to anyone yet (RFC 4422 §3.4.1).</summary>
    private static bool Foreign(string login, string authorizationIdentity) =>
        authorizationIdentity.Length > 0 && Credentials.PrepareLogin(authorizationIdentity) != Credentials.PrepareLogin(login);

    private Turn FailAuth()
    {
        _exchange = null;
        return ++_authFailures >= _limits.AuthFailures
            ? new Turn.HangUp(Replies.TooManyAuthFailures)
            : new Turn.Say(Replies.AuthFailed);
    }

    private Turn EndAuth(Reply reply)
    {
        _exchange = null;
        return reply.IsTransient ? new Turn.Say(reply) : Refuse(reply);
    }
}
