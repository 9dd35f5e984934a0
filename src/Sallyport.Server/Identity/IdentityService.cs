using System.Collections.Immutable;
using System.Security.Cryptography;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Sending;

namespace Sallyport.Server.Identity;

/// <summary>Answers a session's questions about a login, for the client and, with the true reason, for the log.</summary>
public sealed class IdentityService(
    ImmutableArray<IDirectory> directories, ServerOptions options, IdentityBooks books, GrantResolver grants, TimeProvider time)
{
    private readonly DirectoryWalk _walk = new(time);

    public ImmutableArray<IDirectory> Directories => directories;

    public GrantResolver Grants => grants;

    public LoginGuard Guard => books.Guard;

    /// <summary>One password a device.</summary>
    public AppPasswordJudge AppPasswords => field ??= new AppPasswordJudge(books.AppPasswords, directories, _walk, Remembered, time);

    public PasswordJudge Passwords => field ??= new PasswordJudge(directories, _walk, AppPasswords, Remembered, options.AppPasswords);

    private RememberedSuccesses Remembered => field ??= new RememberedSuccesses(options, books.Successes, books.Outages, time);

    public SuspensionRegistry Suspensions => books.Suspensions;

    /// <summary>Draws the server's half of a SCRAM nonce.</summary>
    public Func<string> Nonce { get; init; } = static () => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));

    public async ValueTask<(LoginAnswer Answer, string Why)> CheckPasswordAsync(LoginAttempt attempt, string password, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(attempt.Login);
        return prepared is null
            ? (new LoginAnswer.Wrong(), "not a login")
            : await GuardedAsync(attempt, prepared, SecretOf(attempt, password),
                () => Passwords.JudgeAsync(attempt, prepared, password, cancel), cancel);
    }

    /// <summary>
    /// The proof of a SCRAM exchange has arrived: from here on it counts as a guess until <see cref="ScramJudgedAsync"/> says better.
    /// Null when it may be judged; else why not now.
    /// </summary>
    public string? BeginProof(LoginAttempt attempt) =>
        Guard.BeforeProof(Credentials.PrepareLogin(attempt.Login) ?? "", attempt.Client) is GuardVerdict.NotNow notNow ? notNow.Why : null;

    /// <summary>What came of the proof. Returns when the client may be told.</summary>
    /// <param name="since">When the proof arrived, as a timestamp of the clock.</param>
    public Task ScramJudgedAsync(LoginAttempt attempt, LoginOutcome outcome, long since, CancellationToken cancel)
    {
        var delay = Guard.After(Credentials.PrepareLogin(attempt.Login) ?? "", attempt.Client, null, outcome);
        return WaitAsync(outcome, delay, since, cancel);
    }

    /// <summary>What the guard remembers a secret by: an app password may be wrong from one network and right from another.</summary>
    private static string SecretOf(LoginAttempt attempt, string password) =>
        AppPasswordText.Parse(password) is { } secret ? $"{secret}\0{attempt.Network}" : password;

    /// <summary>Asks only what the guard lets through, tells it what came of it, and answers a failure no sooner than it says.</summary>
    private async ValueTask<(LoginAnswer Answer, string Why)> GuardedAsync(
        LoginAttempt attempt, string login, string secret, Func<ValueTask<Judgement>> ask, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var name = Guard.NameOf(login, secret);
        switch (Guard.Before(login, attempt.Client, name))
        {
            case GuardVerdict.SameWrongSecret same:
                await WaitAsync(same.Delay, cancel);
                return (new LoginAnswer.Wrong(Again: true), "the same wrong password again");
            case GuardVerdict.NotNow notNow:
                return (new LoginAnswer.Unavailable(notNow.Why), notNow.Why);
        }

        var outcome = LoginOutcome.Unavailable;
        var whose = "";
        try
        {
            var judged = await ask();
            whose = WhoseIs(judged.Answer);
            outcome = judged.Guessed ? LoginOutcome.WrongForNow : OutcomeOf(judged.Answer);
            return await ToLoginAsync(judged, cancel);
        }
        finally
        {
            await WaitAsync(outcome, Guard.After(login, attempt.Client, name, outcome, whose), began, cancel);
        }
    }

    /// <summary>The same for a token or a certificate.</summary>
    private async ValueTask<(LoginAnswer Answer, string Why)> GuardedAsync(
        LoginAttempt attempt, string? named, string secret, Func<Task<(DirectoryAnswer Answer, string By)>> ask, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        var name = Guard.NameOf(named ?? "", secret);
        switch (Guard.BeforeVouched(named, attempt.Client, name))
        {
            case GuardVerdict.SameWrongSecret same:
                await WaitAsync(same.Delay, cancel);
                return (new LoginAnswer.Wrong(Again: true), "the same again that was refused before");
            case GuardVerdict.NotNow notNow:
                return (new LoginAnswer.Unavailable(notNow.Why), notNow.Why);
        }

        var (vouched, by) = await ask();
        var answer = await CompleteAsync(vouched, by, cancel);
        var outcome = OutcomeOf(answer);
        var isFinal = vouched is DirectoryAnswer.Unknown or DirectoryAnswer.Refused { IsFinal: true };
        var login = answer is DirectoryAnswer.Granted granted ? Credentials.PrepareLogin(granted.Entry.Login) : null;
        var delay = Guard.AfterVouched(login ?? "", attempt.Client, name, outcome, isFinal);
        await WaitAsync(outcome, delay, began, cancel);
        return await ToVouchedAsync(vouched, answer, cancel);
    }

    /// <summary>A failure is answered no sooner than the floor, and later the more there were.</summary>
    private Task WaitAsync(LoginOutcome outcome, TimeSpan delay, long since, CancellationToken cancel)
    {
        if (outcome is not (LoginOutcome.Wrong or LoginOutcome.WrongForNow or LoginOutcome.UnknownLogin))
        {
            return Task.CompletedTask;
        }

        var floor = Guard.FailureFloor - time.GetElapsedTime(since);
        return WaitAsync(delay > floor ? delay : floor, cancel);
    }

    private Task WaitAsync(TimeSpan delay, CancellationToken cancel) =>
        delay > TimeSpan.Zero ? Task.Delay(delay, time, cancel) : Task.CompletedTask;

    /// <summary>The login as its directory names it; empty when it did not say.</summary>
    private static string WhoseIs(DirectoryAnswer answer) => answer switch
    {
        DirectoryAnswer.Granted granted => Credentials.PrepareLogin(granted.Entry.Login) ?? "",
        DirectoryAnswer.WrongPassword wrong => Credentials.PrepareLogin(wrong.Login) ?? "",
        _ => "",
    };

    private static LoginOutcome OutcomeOf(DirectoryAnswer answer) => answer switch
    {
        DirectoryAnswer.Granted => LoginOutcome.Right,
        DirectoryAnswer.Unavailable => LoginOutcome.Unavailable,
        DirectoryAnswer.Unknown or DirectoryAnswer.CannotLookUp => LoginOutcome.UnknownLogin,
        _ => LoginOutcome.Wrong,
    };

    /// <summary>Whose is this access token?</summary>
    public async ValueTask<(LoginAnswer Answer, string Why)> CheckTokenAsync(LoginAttempt attempt, string token, CancellationToken cancel)
    {
        if (!TryPrepare(attempt, out var login))
        {
            return (new LoginAnswer.Wrong(), "not a login");
        }

        return await GuardedAsync(attempt, login, token, async () => OrNobody(
            await _walk.AskAsync([.. directories.OfType<ITokenDirectory>()],
                async one => (await ((ITokenDirectory)one).JudgeTokenAsync(token, login, cancel)).Answer, cancel),
            "no directory takes this token: it is no JWT of a configured issuer"), cancel);
    }

    /// <summary>Whose is this verified certificate?</summary>
    public async ValueTask<(LoginAnswer Answer, string Why)> CheckCertificateAsync(
        LoginAttempt attempt, ClientCertificate certificate, CancellationToken cancel)
    {
        if (!TryPrepare(attempt, out var login))
        {
            return (new LoginAnswer.Wrong(), "not a login");
        }

        return await GuardedAsync(attempt, login, certificate.Fingerprint, async () => OrNobody(
            await _walk.AskAsync([.. directories.OfType<ICertificateDirectory>()],
                one => ((ICertificateDirectory)one).CheckCertificateAsync(certificate, login, cancel), cancel),
            $"no directory knows the holder of the certificate {certificate.Subject}"), cancel);
    }

    private static (DirectoryAnswer Answer, string By) OrNobody((DirectoryAnswer Answer, string By) asked, string why) =>
        asked.Answer is DirectoryAnswer.Unknown ? (new DirectoryAnswer.Unknown(why), asked.By) : asked;

    private async ValueTask<(LoginAnswer Answer, string Why)> ToVouchedAsync(
        DirectoryAnswer vouched, DirectoryAnswer answer, CancellationToken cancel)
    {
        var (login, why) = await ToLoginAsync(answer, cancel);
        return login is LoginAnswer.Granted { Grant: var grant } && vouched is DirectoryAnswer.Granted { Entry.Login: var name }
            ? (new LoginAnswer.Granted(grant with { AskedAs = name }), why)
            : (login, why);
    }

    /// <summary>A login that was vouched for gets what the directory its voucher points to says of it.</summary>
    public async ValueTask<DirectoryAnswer> CompleteAsync(DirectoryAnswer answer, string vouchedBy, CancellationToken cancel)
    {
        if (answer is not DirectoryAnswer.Granted { Entry.Login: var login }
            || directories.OfType<IVouchingDirectory>().FirstOrDefault(one => one.Name == vouchedBy) is not { LookUpIn: { } name })
        {
            return answer;
        }

        var prepared = Credentials.PrepareLogin(login)!;
        var (found, _) = await _walk.AskAsync([.. directories.Where(one => one.Name == name)], one => one.FindAsync(prepared, cancel), cancel);
        return found switch
        {
            DirectoryAnswer.Unknown => new DirectoryAnswer.Refused($"directory {name} does not know {login}, whom {vouchedBy} vouches for"),
            DirectoryAnswer.CannotLookUp => new DirectoryAnswer.Refused($"directory {name} cannot look up logins: {vouchedBy} needs one that can"),
            _ => found,
        };
    }

    /// <summary>What a login may use.</summary>
    /// <param name="directory">The one that vouched for the login; null asks all in order, to explain.</param>
    public async ValueTask<(LoginAnswer Answer, string Why)> FindGrantAsync(string login, string? directory, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(login);
        if (prepared is null)
        {
            return (new LoginAnswer.Wrong(), "not a login");
        }

        var asked = directory is null ? directories : [.. directories.Where(one => one.Name == directory)];
        return await ToLoginAsync((await _walk.AskAsync(asked, one => one.FindAsync(prepared, cancel), cancel)).Answer, cancel);
    }

    /// <summary>Asks the directory that vouched for a login whether it still does. Null when it cannot say: what it said holds on.</summary>
    /// <param name="login">By which name it is asked.</param>
    public async ValueTask<(LoginAnswer? Answer, string Why)> AskAgainAsync(Grant grant, string login, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(login) ?? "";
        var asked = directories.Where(one => one.Name == grant.Directory);
        var (answer, _) = await _walk.AskAsync([.. asked], one => one.FindAsync(prepared, cancel), cancel);
        Remembered.Heard(grant.Directory, prepared, answer);
        var through = grant.Through is { } name ? books.AppPasswords.Find(name.Id) : null;
        return grant.Through is not null && through is null ? (new LoginAnswer.Wrong(), RevokedSince(grant) ?? "")
            : answer is DirectoryAnswer.CannotLookUp or DirectoryAnswer.Unavailable or DirectoryAnswer.UnknownOrWrong ? (null, "")
            : await ToLoginAsync(new Judgement(answer) { Through = through }, cancel);
    }

    /// <summary>Why a session may not go on, as far as we know without asking; null when it may.</summary>
    public string? RevokedSince(Grant grant) => grant.Through is { } through ? AppPasswords.RevokedSince(through.Id) : null;

    /// <summary>
    /// Begins SCRAM with the first directory that knows the login: with its verifier, or with its server's own exchange. Where that one
    /// has neither, or none knows the login, with a made-up verifier: the exchange goes on and fails.
    /// </summary>
    /// <param name="clientFirst">The client's first message.</param>
    public async ValueTask<ScramBeginning> BeginScramAsync(LoginAttempt attempt, ReadOnlyMemory<byte> clientFirst, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(attempt.Login) ?? "";
        if (Guard.Before(prepared, attempt.Client, null) is GuardVerdict.NotNow notNow)
        {
            return new ScramBeginning.Ours(new VerifierAnswer.Unavailable(notNow.Why), "");
        }

        var (answer, directory) = await _walk.AskAsync(directories, one => one switch
        {
            IVerifierDirectory verifiers => verifiers.FindVerifierAsync(prepared, cancel),
            IExchangeDirectory exchanges when exchanges.Leads(attempt.Mechanism) => exchanges.BeginExchangeAsync(attempt, clientFirst, cancel),
            _ => one.FindAsync(prepared, cancel),
        }, cancel);
        return answer switch
        {
            DirectoryAnswer.Challenge challenge => new ScramBeginning.Theirs(challenge.Octets, challenge.Exchange),
            DirectoryAnswer.Verifier found => Ours(found.Value, prepared, directory),
            DirectoryAnswer.Unavailable unavailable => new ScramBeginning.Ours(new VerifierAnswer.Unavailable(unavailable.Why), directory),
            DirectoryAnswer.Granted { Entry.Login: var name } when Credentials.PrepareLogin(name) is { } known =>
                Ours(books.MadeUp.For(known), known, ""),
            _ => Ours(books.MadeUp.For(prepared), prepared, ""),
        };
    }

    /// <summary>The login's app passwords go along, as far as they were made with the same salt.</summary>
    private ScramBeginning.Ours Ours(ScramVerifier verifier, string login, string directory) => new(
        new VerifierAnswer.Found(verifier with { Also = books.AppPasswords.KeysOf(login, verifier) }, Nonce()), directory);

    /// <summary>SCRAM proved a secret: what may its login use?</summary>
    /// <param name="directory">The one that gave the verifier.</param>
    /// <param name="keys">Names the app password it was; empty for the login's own.</param>
    public async ValueTask<(LoginAnswer Answer, string Why)> FindProvenAsync(
        LoginAttempt attempt, string directory, string keys, CancellationToken cancel)
    {
        if (Credentials.PrepareLogin(attempt.Login) is not { } prepared)
        {
            return (new LoginAnswer.Wrong(), "not a login");
        }

        if (keys.Length > 0)
        {
            return await ToLoginAsync(books.AppPasswords.Find(keys) is { } password
                ? await AppPasswords.JudgeAsync(attempt, prepared, password, cancel) : AppPasswordJudge.NoneOfOurs, cancel);
        }

        var (answer, _) = await _walk.AskAsync(
            [.. directories.Where(one => one.Name == directory)], one => one.FindAsync(prepared, cancel), cancel);
        var refused = answer is DirectoryAnswer.Granted { Entry: var entry } ? Passwords.RefusalOfOwn(entry.Login, entry.Groups) : null;
        return await ToLoginAsync(refused ?? answer, cancel);
    }

    /// <summary>Brings a response to the server that leads the exchange.</summary>
    public async ValueTask<(ExchangeAnswer Answer, string Why)> ContinueAsync(
        IDirectoryExchange exchange, ReadOnlyMemory<byte> response, CancellationToken cancel)
    {
        var answer = await _walk.ContinueAsync(exchange, response, cancel);
        if (answer is DirectoryAnswer.Challenge challenge)
        {
            return (new ExchangeAnswer.Challenge(challenge.Octets), "");
        }

        var (login, why) = await ToLoginAsync(answer, cancel);
        return (new ExchangeAnswer.Ended(login), why);
    }

    /// <param name="login">Prepared; null when the client named none.</param>
    private static bool TryPrepare(LoginAttempt attempt, out string? login)
    {
        login = attempt.Login.Length == 0 ? null : Credentials.PrepareLogin(attempt.Login);
        return attempt.Login.Length == 0 || login is not null;
    }

    private async ValueTask<(LoginAnswer Answer, string Why)> ToLoginAsync(Judgement judged, CancellationToken cancel) => judged.Answer switch
    {
        DirectoryAnswer.Granted granted => (new LoginAnswer.Granted(judged.Complete(await grants.ResolveAsync(granted.Entry, cancel))), ""),
        DirectoryAnswer.Disabled => (new LoginAnswer.Disabled(), "the account is disabled"),
        DirectoryAnswer.Expired => (new LoginAnswer.Disabled(), "the password has expired"),
        DirectoryAnswer.Unavailable unavailable => (new LoginAnswer.Unavailable(unavailable.Why), unavailable.Why),
        DirectoryAnswer.Unknown unknown => (new LoginAnswer.Wrong(), unknown.Why.Length > 0 ? unknown.Why : "unknown login"),
        DirectoryAnswer.UnknownOrWrong => (new LoginAnswer.Wrong(), "unknown login or wrong password"),
        DirectoryAnswer.Refused refused => (new LoginAnswer.Wrong(judged.Known), refused.Why),
        DirectoryAnswer.CannotLookUp => (new LoginAnswer.Wrong(), "no directory that can look up logins knows it"),
        _ => (new LoginAnswer.Wrong(Known: true), "wrong password"),
    };
}

/// <summary>How a SCRAM exchange begins.</summary>
public abstract record ScramBeginning
{
    private ScramBeginning()
    {
    }

    /// <summary>We lead it, with a verifier.</summary>
    /// <param name="Directory">The one that gave it.</param>
    public sealed record Ours(VerifierAnswer Answer, string Directory) : ScramBeginning;

    /// <summary>A directory's server leads it.</summary>
    public sealed record Theirs(ReadOnlyMemory<byte> Challenge, IDirectoryExchange Exchange) : ScramBeginning;
}
