using System.Collections.Immutable;
using Sallyport.Mail.Sasl;

namespace Sallyport.Mail.Smtp;

/// <content>AUTH (RFC 4954). Every attempt begins afresh: nothing of a failed one is kept (CVE-2011-1720).</content>
public sealed partial class SubmissionSession
{
    private ISaslMechanism? _exchange;
    private Policy.Grant? _granted;
    private int _authFailures;
    private bool _denied;

    /// <summary>Mechanism of the last attempt, for the log.</summary>
    public string Mechanism { get; private set; } = "";

    /// <summary>The login of the last attempt as it was typed, for the log.</summary>
    public string LoginTyped { get; private set; } = "";

    /// <summary>A line of the exchange, without CRLF.</summary>
    public Turn ReceiveSasl(ReadOnlySpan<byte> line)
    {
        if (line.SequenceEqual("*"u8))
        {
            // Giving up after the no is a failed login like any other, or tokens could be tried without end.
            return _denied && ++_authFailures >= _limits.AuthFailures
                ? new Turn.HangUp(Replies.TooManyAuthFailures)
                : EndAuth(Replies.AuthCancelled);
        }

        if (_denied)
        {
            return FailAuth();
        }

        var response = SaslServer.DecodeBase64(line);
        return response is null ? EndAuth(Replies.AuthMalformed) : Follow(_exchange!.Receive(response));
    }

    /// <summary>The line was longer than RFC 4954 §4 allows.</summary>
    public Turn SaslLineTooLong() => _denied ? FailAuth() : EndAuth(Replies.AuthTooLong);

    public Turn AnswerVerifier(VerifierAnswer answer) => answer is VerifierAnswer.Found found
        ? Follow(_exchange!.TakeVerifier(found.Verifier, found.ServerNonce))
        : EndAuth(Replies.AuthUnavailable);

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
                return Deny();
        }
    }

    private ImmutableArray<string> Offered =>
        SaslServer.Offer(context.Mechanisms, Tls is { ServerEndPoint.IsEmpty: false }, Tls is { Client: not null });

    private Turn StartAuth(Command.Auth auth)
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
        return initial is null ? EndAuth(Replies.AuthMalformed) : Follow(_exchange.Start(initial));
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
                    : new Turn.AskVerifier(ask.Login, ask.AuthorizationIdentity);
            case SaslStep.AskGrant ask:
                return new Turn.AskGrant(ask.Login, ask.AuthorizationIdentity);
            case SaslStep.AskToken ask:
                LoginTyped = ask.Login;
                return new Turn.AskToken(ask.Login, ask.Token);
            case SaslStep.AskCertificate ask:
                LoginTyped = ask.AuthorizationIdentity;
                return new Turn.AskCertificate(Tls!.Client!, ask.AuthorizationIdentity);
            case SaslStep.Done:
                Grant = _granted;
                State = SessionState.Authenticated;
                _exchange = null;
                return new Turn.Say(Replies.LoggedIn);
            case SaslStep.Failed failed:
                LoginTyped = failed.Login;
                return Deny();
            default:
                return EndAuth(Replies.AuthMalformed);
        }
    }

    /// <summary>Acting for somebody else is not granted to anyone yet (RFC 4422 §3.4.1).</summary>
    private static bool Foreign(string login, string authorizationIdentity) =>
        authorizationIdentity.Length > 0 && Credentials.PrepareLogin(authorizationIdentity) != Credentials.PrepareLogin(login);

    /// <summary>The mechanism has the first word about a no; the next line of the client only ends the exchange.</summary>
    private Turn Deny()
    {
        if (_exchange!.Denied() is not { } challenge)
        {
            return FailAuth();
        }

        _denied = true;
        return Follow(challenge);
    }

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
