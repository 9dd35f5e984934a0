using System.Collections.Immutable;
using Sallyport.Mail.Sasl;

namespace Sallyport.Mail.Smtp;

/// <content>AUTH (RFC 4954). Every attempt begins afresh: nothing of a failed one is kept (CVE-2011-1720).</content>
public sealed partial class SubmissionSession
{
    private ISaslMechanism? _exchange;
    private Policy.Grant? _granted;
    private byte[] _response = [];
    private LoginFailure? _failure;
    private int _authFailures;
    private bool _denied;

    /// <summary>Mechanism of the last attempt, for the log.</summary>
    public string Mechanism { get; private set; } = "";

    /// <summary>The login of the last attempt as it was typed, for the log.</summary>
    public string LoginTyped { get; private set; } = "";

    /// <summary>What the last attempt failed by, for the log; each is given once. Null when there is nothing to tell.</summary>
    public LoginFailure? TakeLoginFailure()
    {
        var failure = _failure;
        _failure = null;
        return failure;
    }

    /// <summary>A line of the exchange, without CRLF.</summary>
    public SessionAction ReceiveSasl(ReadOnlySpan<byte> line)
    {
        if (_denied)
        {
            return EndDenied(line.SequenceEqual("*"u8) ? Replies.AuthCancelled : Replies.AuthFailed);
        }

        if (line.SequenceEqual("*"u8))
        {
            return EndAuth(Replies.AuthCancelled, LoginFailure.Cancelled);
        }

        var response = SaslServer.DecodeBase64(line);
        return response is null ? EndAuth(Replies.AuthMalformed, LoginFailure.Malformed) : Follow(_exchange!.Receive(_response = response));
    }

    /// <summary>The line was longer than RFC 4954 §4 allows.</summary>
    public SessionAction SaslLineTooLong() => _denied ? EndDenied(Replies.AuthFailed) : EndAuth(Replies.AuthTooLong, LoginFailure.Malformed);

    public SessionAction AnswerVerifier(VerifierAnswer answer) => answer is VerifierAnswer.Found found
        ? Follow(_exchange!.TakeVerifier(found.Verifier, found.ServerNonce))
        : EndAuth(Replies.AuthUnavailable, LoginFailure.Unavailable);

    /// <summary>
    /// Answers <see cref="SessionAction.AskExchange"/>, and <see cref="SessionAction.AskVerifier"/> where a directory leads the exchange.
    /// </summary>
    public SessionAction AnswerExchange(ExchangeAnswer answer) => answer switch
    {
        ExchangeAnswer.Challenge challenge => Follow(_exchange!.TakeChallenge(challenge.Octets)),
        ExchangeAnswer.Ended ended => AnswerLogin(ended.Login),
        _ => EndAuth(Replies.AuthUnavailable, LoginFailure.Unavailable),
    };

    public SessionAction AnswerLogin(LoginAnswer answer)
    {
        switch (answer)
        {
            case LoginAnswer.Granted granted:
                _granted = granted.Grant;
                return Follow(_exchange!.Granted());
            case LoginAnswer.OverLimit over:
                return EndAuth(over.Refusal, LoginFailure.OverLimit);
            case LoginAnswer.Unavailable:
                return EndAuth(Replies.AuthUnavailable, LoginFailure.Unavailable);
            default:
                return Deny();
        }
    }

    private ImmutableArray<string> Offered =>
        SaslServer.Offer(context.Mechanisms, Tls is { ServerEndPoint.IsEmpty: false }, Tls is { Client: not null });

    private SessionAction StartAuth(Command.Auth auth)
    {
        Mechanism = auth.Mechanism;
        LoginTyped = "";
        _granted = null;
        _denied = false;
        _exchange = SaslServer.Create(
            auth.Mechanism, Offered, Tls?.ServerEndPoint ?? default, _limits.CredentialBytes, _limits.TokenBytes, context.TokenService);
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
        return initial is null ? EndAuth(Replies.AuthMalformed, LoginFailure.Malformed) : Follow(_exchange.Start(_response = initial));
    }

    private SessionAction Follow(SaslStep step)
    {
        switch (step)
        {
            case SaslStep.Challenge challenge:
                return new SessionAction.ContinueSasl(new Reply(334, null, Convert.ToBase64String(challenge.Octets.Span)));
            case SaslStep.AskPassword ask:
                LoginTyped = ask.Login;
                return Foreign(ask.Login, ask.AuthorizationIdentity)
                    ? FailAuth()
                    : new SessionAction.AskPassword(ask.Login, ask.AuthorizationIdentity, ask.Password);
            case SaslStep.AskVerifier ask:
                LoginTyped = ask.Login;
                return Foreign(ask.Login, ask.AuthorizationIdentity)
                    ? FailAuth()
                    : new SessionAction.AskVerifier(ask.Login, ask.AuthorizationIdentity, _response);
            case SaslStep.AskExchange ask:
                return new SessionAction.AskExchange(ask.Response);
            case SaslStep.AskGrant ask:
                return new SessionAction.AskGrant(ask.Login, ask.AuthorizationIdentity, ask.Keys);
            case SaslStep.AskToken ask:
                LoginTyped = ask.Login;
                return new SessionAction.AskToken(ask.Login, ask.Token);
            case SaslStep.AskCertificate ask:
                LoginTyped = ask.AuthorizationIdentity;
                return new SessionAction.AskCertificate(Tls!.Client!, ask.AuthorizationIdentity);
            case SaslStep.Done:
                Grant = _granted;
                State = SessionState.Authenticated;
                _exchange = null;
                return new SessionAction.Say(Replies.LoggedIn);
            case SaslStep.Failed failed:
                LoginTyped = failed.Login;
                return Deny();
            default:
                return EndAuth(Replies.AuthMalformed, LoginFailure.Malformed);
        }
    }

    /// <summary>Acting for somebody else is not granted to anyone yet (RFC 4422 §3.4.1).</summary>
    private static bool Foreign(string login, string authorizationIdentity) =>
        authorizationIdentity.Length > 0 && Credentials.PrepareLogin(authorizationIdentity) != Credentials.PrepareLogin(login);

    /// <summary>The mechanism has the first word about a no; the client's next line then only ends the exchange.</summary>
    private SessionAction Deny()
    {
        if (_exchange!.Denied() is not { } challenge)
        {
            return FailAuth();
        }

        CountFailure();
        _denied = true;
        return Follow(challenge);
    }

    private SessionAction FailAuth()
    {
        CountFailure();
        return EndDenied(Replies.AuthFailed);
    }

    private void CountFailure()
    {
        _failure = LoginFailure.Wrong;
        _authFailures++;
    }

    /// <summary>The last try is answered like the others, and then the connection ends: a client reads 421 as "try that again later".</summary>
    private SessionAction EndDenied(Reply reply)
    {
        _exchange = null;
        return _authFailures >= _limits.AuthFailures ? new SessionAction.HangUp(reply) : new SessionAction.Say(reply);
    }

    private SessionAction EndAuth(Reply reply, LoginFailure failure)
    {
        _exchange = null;
        _failure = failure;
        return reply.IsTransient ? new SessionAction.Say(reply) : Refuse(reply);
    }
}

/// <summary>What an attempt to log in failed by.</summary>
public enum LoginFailure
{
    /// <summary>Unknown login, wrong secret, wrong binding, disabled: 535.</summary>
    Wrong,

    /// <summary>Nobody could judge it: 454, and no secret was wrong.</summary>
    Unavailable,

    /// <summary>The secret was right, and the login has reached a limit: 454.</summary>
    OverLimit,

    /// <summary>Not the mechanism's grammar: 501, 500.</summary>
    Malformed,

    /// <summary>The client gave up.</summary>
    Cancelled,
}
