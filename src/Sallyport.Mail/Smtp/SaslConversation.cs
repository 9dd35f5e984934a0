using System.Collections.Immutable;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;

namespace Sallyport.Mail.Smtp;

/// <summary>
/// AUTH (RFC 4954): the exchange under way, and how many have failed. Every attempt begins afresh: nothing of a failed one is kept
/// (CVE-2011-1720).
/// </summary>
internal sealed class SaslConversation(SmtpLimits limits, TokenService? service)
{
    private ISaslMechanism? _mechanism;
    private TlsFacts? _tls;
    private Grant? _granted;
    private byte[] _response = [];
    private int _failures;
    private bool _denied;

    /// <summary>Mechanism of the last attempt.</summary>
    public string Mechanism { get; private set; } = "";

    /// <summary>The login of the last attempt as it was typed.</summary>
    public string LoginTyped { get; private set; } = "";

    /// <summary>What the login may use, once an exchange has succeeded.</summary>
    public Grant? Grant { get; private set; }

    /// <summary>Null when the mechanism is not among those offered.</summary>
    public SessionAction? Start(Command.Auth auth, ImmutableArray<string> offered, TlsFacts? tls)
    {
        (Mechanism, LoginTyped) = (auth.Mechanism, "");
        (_tls, _granted, _denied) = (tls, null, false);
        _mechanism = SaslServer.Create(
            auth.Mechanism, offered, tls?.ServerEndPoint ?? default, limits.CredentialBytes, limits.TokenBytes, service);
        if (_mechanism is null)
        {
            return null;
        }

        if (auth.Initial is null)
        {
            return Follow(_mechanism.Start(null));
        }

        // "=" is the empty initial response (RFC 4954 §4).
        var initial = auth.Initial.AsSpan().SequenceEqual("="u8) ? [] : SaslServer.DecodeBase64(auth.Initial);
        return initial is null ? End(Replies.AuthMalformed, LoginFailure.Malformed) : Follow(_mechanism.Start(_response = initial));
    }

    /// <summary>A line of the exchange, without CRLF.</summary>
    public SessionAction Receive(ReadOnlySpan<byte> line)
    {
        if (_denied)
        {
            return EndDenied(line.SequenceEqual("*"u8) ? Replies.AuthCancelled : Replies.AuthFailed);
        }

        if (line.SequenceEqual("*"u8))
        {
            return End(Replies.AuthCancelled, LoginFailure.Cancelled);
        }

        var response = SaslServer.DecodeBase64(line);
        return response is null ? End(Replies.AuthMalformed, LoginFailure.Malformed) : Follow(_mechanism!.Receive(_response = response));
    }

    public SessionAction LineTooLong() => _denied ? EndDenied(Replies.AuthFailed) : End(Replies.AuthTooLong, LoginFailure.Malformed);

    public SessionAction Answer(VerifierAnswer answer) => answer is VerifierAnswer.Found found
        ? Follow(_mechanism!.TakeVerifier(found.Verifier, found.ServerNonce))
        : End(Replies.AuthUnavailable, LoginFailure.Unavailable);

    public SessionAction Answer(ExchangeAnswer answer) => answer switch
    {
        ExchangeAnswer.Challenge challenge => Follow(_mechanism!.TakeChallenge(challenge.Octets)),
        ExchangeAnswer.Ended ended => Answer(ended.Login),
        _ => End(Replies.AuthUnavailable, LoginFailure.Unavailable),
    };

    public SessionAction Answer(LoginAnswer answer)
    {
        switch (answer)
        {
            case LoginAnswer.Granted granted:
                _granted = granted.Grant;
                return Follow(_mechanism!.Granted());
            case LoginAnswer.OverLimit over:
                return End(over.Refusal, LoginFailure.OverLimit);
            case LoginAnswer.Unavailable:
                return End(Replies.AuthUnavailable, LoginFailure.Unavailable);
            default:
                return Deny();
        }
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
                return new SessionAction.AskCertificate(_tls!.Client!, ask.AuthorizationIdentity);
            case SaslStep.Done:
                (Grant, _granted, _mechanism) = (_granted, null, null);
                return new SessionAction.Say(Replies.LoggedIn);
            case SaslStep.Failed failed:
                LoginTyped = failed.Login;
                return Deny();
            default:
                return End(Replies.AuthMalformed, LoginFailure.Malformed);
        }
    }

    /// <summary>Acting for somebody else is not granted to anyone yet (RFC 4422 §3.4.1).</summary>
    private static bool Foreign(string login, string authorizationIdentity) =>
        authorizationIdentity.Length > 0 && Credentials.PrepareLogin(authorizationIdentity) != Credentials.PrepareLogin(login);

    /// <summary>The mechanism has the first word about a no; the client's next line then only ends the exchange.</summary>
    private SessionAction Deny()
    {
        if (_mechanism!.Denied() is not { } challenge)
        {
            return FailAuth();
        }

        _failures++;
        _denied = true;
        return new SessionAction.LoginFailed(LoginFailure.Wrong, Follow(challenge));
    }

    private SessionAction.LoginFailed FailAuth()
    {
        _failures++;
        return new SessionAction.LoginFailed(LoginFailure.Wrong, EndDenied(Replies.AuthFailed));
    }

    /// <summary>The last try is answered like the others, and then the connection ends: a client reads 421 as "try that again later".</summary>
    private SessionAction EndDenied(Reply reply)
    {
        _mechanism = null;
        return _failures >= limits.AuthFailures ? new SessionAction.HangUp(reply) : new SessionAction.Say(reply);
    }

    private SessionAction.LoginFailed End(Reply reply, LoginFailure failure)
    {
        _mechanism = null;
        return new SessionAction.LoginFailed(failure, new SessionAction.Say(reply));
    }
}
