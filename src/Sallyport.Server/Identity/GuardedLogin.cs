using Sallyport.Mail.Sasl;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Passwords;

namespace Sallyport.Server.Identity;

/// <summary>
/// Asks only what the guard lets through, tells it what came of it, and answers a failure no sooner than it says: how long an answer
/// takes tells nothing of who exists.
/// </summary>
internal sealed class GuardedLogin(LoginGuard guard, SecretFingerprint fingerprint, TimeProvider time)
{
    /// <param name="login">Prepared.</param>
    /// <param name="secret">What the guard knows the guess by.</param>
    public async ValueTask<LoginVerdict> VerifyAsync(
        LoginAttempt attempt, string login, string secret, Func<ValueTask<LoginVerdict>> verify, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var name = fingerprint.Of(FingerprintPurpose.Guess, "", login, secret);
        if (await RefuseAsync(guard.Before(login, attempt.Client, name), cancel) is { } refused)
        {
            return refused;
        }

        LoginVerdict verdict = new LoginVerdict.Unavailable("nobody has judged it");
        try
        {
            return verdict = await verify();
        }
        finally
        {
            var outcome = OutcomeOf(verdict);
            await WaitAsync(outcome, guard.After(login, attempt.Client, name, outcome, WhoseIs(verdict)), began, cancel);
        }
    }

    /// <summary>The same for a token or a certificate.</summary>
    /// <param name="named">Whom the client says it is for, prepared; null when it does not say.</param>
    /// <param name="verify">Whose it is.</param>
    /// <param name="complete">What the directory it points to says of that login.</param>
    public async ValueTask<LoginVerdict> VerifyAssertionAsync(
        LoginAttempt attempt, string? named, string secret, Func<ValueTask<LoginVerdict>> verify,
        Func<LoginVerdict, ValueTask<LoginVerdict>> complete, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var name = fingerprint.Of(FingerprintPurpose.Guess, "", named ?? "", secret);
        if (await RefuseAsync(guard.BeforeVouched(named, attempt.Client, name), cancel) is { } refused)
        {
            return refused;
        }

        var asserted = await verify();
        var verdict = await complete(asserted);
        var outcome = OutcomeOf(verdict);
        var isFinal = asserted is LoginVerdict.Denied { IsFinal: true, Reason: not (LoginReason.Disabled or LoginReason.Expired) };
        await WaitAsync(outcome, guard.AfterVouched(WhoseIs(verdict), attempt.Client, name, outcome, isFinal), began, cancel);
        return verdict;
    }

    /// <summary>The proof of a SCRAM exchange has arrived. Null when it may be judged.</summary>
    public LoginVerdict.Unavailable? BeginProof(LoginAttempt attempt) =>
        guard.BeforeProof(Credentials.PrepareLogin(attempt.Login) ?? "", attempt.Client) is GuardVerdict.NotNow notNow
            ? TooManyFailures(notNow) : null;

    /// <summary>May SCRAM begin? Null when it may.</summary>
    public LoginVerdict.Unavailable? BeginScram(LoginAttempt attempt, string login) =>
        guard.Before(login, attempt.Client, null) is GuardVerdict.NotNow notNow ? TooManyFailures(notNow) : null;

    /// <summary>What came of the proof. Completes when the client may be told.</summary>
    /// <param name="since">When the proof arrived, as a timestamp of the clock.</param>
    public Task EndProofAsync(LoginAttempt attempt, LoginOutcome outcome, long since, CancellationToken cancel)
    {
        var delay = guard.After(Credentials.PrepareLogin(attempt.Login) ?? "", attempt.Client, null, outcome);
        return WaitAsync(outcome, delay, since, cancel);
    }

    private async ValueTask<LoginVerdict?> RefuseAsync(GuardVerdict guarded, CancellationToken cancel)
    {
        switch (guarded)
        {
            case GuardVerdict.SameWrongSecret same:
                await WaitAsync(same.Delay, cancel);
                return new LoginVerdict.Denied(LoginReason.RepeatedSecret);
            case GuardVerdict.NotNow notNow:
                return TooManyFailures(notNow);
            default:
                return null;
        }
    }

    private static LoginVerdict.Unavailable TooManyFailures(GuardVerdict.NotNow notNow) =>
        new(notNow.Why) { Reason = LoginReason.TooManyFailures };

    /// <summary>A failure is answered no sooner than the floor, and later the more there were.</summary>
    private Task WaitAsync(LoginOutcome outcome, TimeSpan delay, long since, CancellationToken cancel)
    {
        if (outcome is LoginOutcome.Right or LoginOutcome.Unavailable)
        {
            return Task.CompletedTask;
        }

        var floor = guard.FailureFloor - time.GetElapsedTime(since);
        return WaitAsync(delay > floor ? delay : floor, cancel);
    }

    private Task WaitAsync(TimeSpan delay, CancellationToken cancel) =>
        delay > TimeSpan.Zero ? Task.Delay(delay, time, cancel) : Task.CompletedTask;

    /// <summary>The login as its directory names it; empty when it did not say.</summary>
    private static string WhoseIs(LoginVerdict verdict) => verdict switch
    {
        LoginVerdict.Granted granted => Credentials.PrepareLogin(granted.Entry.Login) ?? "",
        LoginVerdict.Denied { Reason: LoginReason.WrongPassword, Login: var login } => Credentials.PrepareLogin(login) ?? "",
        _ => "",
    };

    /// <summary>As what the guard counts a verdict.</summary>
    private static LoginOutcome OutcomeOf(LoginVerdict verdict) => verdict switch
    {
        LoginVerdict.Granted => LoginOutcome.Right,
        LoginVerdict.Unavailable { IsGuess: true } => LoginOutcome.WrongForNow,
        LoginVerdict.Unavailable => LoginOutcome.Unavailable,
        {
            Reason: LoginReason.UnknownLogin or LoginReason.TokenUnknown or LoginReason.CertificateUnknown or LoginReason.CannotLookUp
        } => LoginOutcome.UnknownLogin,
        _ => LoginOutcome.Wrong,
    };
}
