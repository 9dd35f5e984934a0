using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Configuration;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Grants;
using Sallyport.Server.Identity.Offline;
using Sallyport.Server.Sending;

namespace Sallyport.Server.Identity;

/// <summary>Answers a session's questions about a login with a verdict, whose grant is complete.</summary>
public sealed class IdentityService
{
    private static readonly LoginVerdict NotALogin = new LoginVerdict.Denied(LoginReason.NotALogin);

    private readonly IdentityBooks _books;
    private readonly DirectoryChain _chain;
    private readonly RememberedSuccesses _remembered;
    private readonly GuardedLogin _guarded;

    public IdentityService(DirectoryChain chain, ServerOptions options, IdentityBooks books, GrantResolver grants, TimeProvider time)
    {
        (_books, Grants, _chain) = (books, grants, chain);
        _remembered = new RememberedSuccesses(options, books.Successes, books.Outages, time);
        _guarded = new GuardedLogin(books.Guard, books.Fingerprint, time);
        AppPasswords = new AppPasswordVerifier(books.AppPasswords, _chain, _remembered, time);
        Passwords = new PasswordVerifier(_chain, AppPasswords, _remembered, options.AppPasswords);
    }

    public ImmutableArray<IDirectory> Directories => _chain.Directories;

    public GrantResolver Grants { get; }

    public LoginGuard Guard => _books.Guard;

    /// <summary>One password a device.</summary>
    public AppPasswordVerifier AppPasswords { get; }

    public PasswordVerifier Passwords { get; }

    public SuspensionRegistry Suspensions => _books.Suspensions;

    /// <summary>Draws the server's half of a SCRAM nonce.</summary>
    public Func<string> Nonce { get; init; } = static () => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));

    /// <summary>Is this the login's password?</summary>
    public async ValueTask<LoginVerdict> CheckPasswordAsync(LoginAttempt attempt, string password, CancellationToken cancel)
    {
        if (Credentials.PrepareLogin(attempt.Login) is not { } prepared)
        {
            return NotALogin;
        }

        // An app password may be wrong from one network and right from another.
        var typed = TypedPassword.Of(password);
        var secret = typed.AppPassword is { } app ? $"{app}\0{attempt.Network}" : password;
        return await ResolveAsync(await _guarded.VerifyAsync(
            attempt, prepared, secret, () => Passwords.VerifyAsync(attempt, prepared, typed, cancel), cancel), cancel);
    }

    /// <summary>
    /// The proof of a SCRAM exchange has arrived: from here on it counts as a guess until <see cref="EndProofAsync"/> says better.
    /// Null when it may be judged; else why not now.
    /// </summary>
    public LoginVerdict.Unavailable? BeginProof(LoginAttempt attempt) => _guarded.BeginProof(attempt);

    /// <summary>What came of the proof. Completes when the client may be told.</summary>
    /// <param name="since">When the proof arrived, as a timestamp of the clock.</param>
    public Task EndProofAsync(LoginAttempt attempt, LoginOutcome outcome, long since, CancellationToken cancel) =>
        _guarded.EndProofAsync(attempt, outcome, since, cancel);

    /// <summary>Whose is this access token?</summary>
    public ValueTask<LoginVerdict> CheckTokenAsync(LoginAttempt attempt, string token, CancellationToken cancel) =>
        CheckAssertionAsync<ITokenDirectory>(
            attempt, token, async (one, login) => (await one.EvaluateTokenAsync(token, login, cancel)).Answer,
            new LoginVerdict.Denied(LoginReason.TokenUnknown), cancel);

    /// <summary>Whose is this verified certificate?</summary>
    public ValueTask<LoginVerdict> CheckCertificateAsync(LoginAttempt attempt, ClientCertificate certificate, CancellationToken cancel) =>
        CheckAssertionAsync<ICertificateDirectory>(
            attempt, certificate.Fingerprint, (one, login) => one.CheckCertificateAsync(certificate, login, cancel),
            new LoginVerdict.Denied(LoginReason.CertificateUnknown, certificate.Subject), cancel);

    /// <summary>A login that an assertion proved gets what the directory its own points to says of it.</summary>
    /// <param name="asserted">With the name of the directory that proved it.</param>
    public async ValueTask<LoginVerdict> CompleteAsync(LoginVerdict asserted, CancellationToken cancel)
    {
        if (asserted is not LoginVerdict.Granted { Entry.Login: var login, Directory: var by }
            || Directories.OfType<IAssertionDirectory>().FirstOrDefault(one => one.Name == by) is not { LookUpIn: { } name })
        {
            return asserted;
        }

        var found = await _chain.FindInAsync(name, Credentials.PrepareLogin(login)!, cancel);
        return found.Reason switch
        {
            LoginReason.UnknownLogin =>
                new LoginVerdict.Denied(LoginReason.NoRights, $"directory {name} does not know {login}, whom {by} vouches for"),
            LoginReason.CannotLookUp =>
                new LoginVerdict.Denied(LoginReason.NoRights, $"directory {name} cannot look up logins: {by} needs one that can"),
            _ => found,
        };
    }

    /// <summary>What a login may use, without any secret: to explain. All directories are asked in order.</summary>
    public async ValueTask<LoginVerdict> FindGrantAsync(string login, CancellationToken cancel) =>
        Credentials.PrepareLogin(login) is not { } prepared ? NotALogin
        : await ResolveAsync(await _chain.AskAsync<IDirectory>(one => one.FindAsync(prepared, cancel), cancel), cancel);

    /// <summary>Asks the directory that let a login in whether it still does. Null when it cannot say: what it said holds on.</summary>
    /// <param name="login">By which name it is asked.</param>
    public async ValueTask<LoginVerdict?> AskAgainAsync(Grant grant, string login, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(login) ?? "";
        var verdict = await _chain.FindInAsync(grant.Directory, prepared, cancel);
        _remembered.Heard(grant.Directory, prepared, verdict);
        var through = grant.Through is { } name ? _books.AppPasswords.Find(name.Id) : null;
        return grant.Through is not null && through is null ? AppPasswords.Revoked(grant.Through.Id)
            : verdict is LoginVerdict.Unavailable or { Reason: LoginReason.CannotLookUp or LoginReason.UnknownOrWrong } ? null
            : await ResolveAsync(
                verdict is LoginVerdict.Granted granted ? granted with { Through = through?.ToProven() } : verdict, cancel);
    }

    /// <summary>Why a session may not go on, as far as we know without asking; null when it may.</summary>
    public LoginVerdict? RevokedSince(Grant grant) => grant.Through is { } through ? AppPasswords.Revoked(through.Id) : null;

    /// <summary>
    /// Begins SCRAM with the first directory that knows the login: with its verifier, or with its server's own exchange. Where that one
    /// has neither, or none knows the login, with a decoy: the exchange goes on and fails.
    /// </summary>
    /// <param name="clientFirst">The client's first message.</param>
    /// <returns>A verifier, of no directory when it is a decoy; a challenge; or that nobody can say now.</returns>
    public async ValueTask<LoginVerdict> BeginScramAsync(LoginAttempt attempt, ReadOnlyMemory<byte> clientFirst, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(attempt.Login) ?? "";
        if (_guarded.BeginScram(attempt, prepared) is { } notNow)
        {
            return notNow;
        }

        var verdict = await _chain.AskAsync<IDirectory>(one => one switch
        {
            IVerifierDirectory verifiers => verifiers.FindVerifierAsync(prepared, cancel),
            IExchangeDirectory exchanges when exchanges.Leads(attempt.Mechanism) => exchanges.BeginExchangeAsync(attempt, clientFirst, cancel),
            _ => one.FindAsync(prepared, cancel),
        }, cancel);
        return verdict switch
        {
            LoginVerdict.Challenge or LoginVerdict.Unavailable => verdict,
            LoginVerdict.Verifier found => WithAppPasswords(found, prepared),
            LoginVerdict.Granted { Entry.Login: var name } when Credentials.PrepareLogin(name) is { } known => Decoy(known),
            _ => Decoy(prepared),
        };
    }

    /// <summary>SCRAM proved a secret: what may its login use?</summary>
    /// <param name="directory">The one that gave the verifier.</param>
    /// <param name="keys">Names the app password it was; empty for the login's own.</param>
    public async ValueTask<LoginVerdict> FindProvenAsync(LoginAttempt attempt, string directory, string keys, CancellationToken cancel)
    {
        if (Credentials.PrepareLogin(attempt.Login) is not { } prepared)
        {
            return NotALogin;
        }

        if (keys.Length > 0)
        {
            return await ResolveAsync(_books.AppPasswords.Find(keys) is { } password
                ? await AppPasswords.VerifyAsync(attempt, prepared, password, cancel) : AppPasswordVerifier.NoneOfOurs, cancel);
        }

        var verdict = await _chain.FindInAsync(directory, prepared, cancel);
        var refused = verdict is LoginVerdict.Granted { Entry: var entry } ? Passwords.RefusalOfOwn(entry.Login, entry.Groups) : null;
        return refused ?? await ResolveAsync(verdict, cancel);
    }

    /// <summary>Brings a response to the server that leads the exchange.</summary>
    /// <returns>Its next challenge, or what came of the login.</returns>
    public async ValueTask<LoginVerdict> ContinueAsync(IDirectoryExchange exchange, ReadOnlyMemory<byte> response, CancellationToken cancel) =>
        await ResolveAsync(await _chain.ContinueAsync(exchange, response, cancel), cancel);

    /// <param name="ask">Asks one directory about the login, prepared; null when the client named none.</param>
    /// <param name="nobody">Where no directory knows whose it is.</param>
    private async ValueTask<LoginVerdict> CheckAssertionAsync<T>(
        LoginAttempt attempt, string secret, Func<T, string?, ValueTask<LoginVerdict>> ask, LoginVerdict nobody, CancellationToken cancel)
        where T : IDirectory
    {
        var login = attempt.Login.Length == 0 ? null : Credentials.PrepareLogin(attempt.Login);
        if (attempt.Login.Length > 0 && login is null)
        {
            return NotALogin;
        }

        var askedAs = "";
        var verdict = await _guarded.VerifyAssertionAsync(attempt, login, secret, async () =>
        {
            var asserted = await _chain.AskAsync<T>(one => ask(one, login), cancel);
            return asserted.Reason == LoginReason.UnknownLogin ? nobody : asserted;
        }, asserted =>
        {
            askedAs = (asserted as LoginVerdict.Granted)?.Entry.Login ?? "";
            return CompleteAsync(asserted, cancel);
        }, cancel);
        return await ResolveAsync(verdict, cancel) is var resolved && resolved is LoginVerdict.Granted granted
            ? granted with { Grant = granted.Grant with { AskedAs = askedAs } } : resolved;
    }

    /// <summary>The login's app passwords go along, as far as they were made with the same salt.</summary>
    private LoginVerdict.Verifier WithAppPasswords(LoginVerdict.Verifier found, string login) => found with
    {
        Value = found.Value with { Also = _books.AppPasswords.KeysOf(login, found.Value) },
        Nonce = Nonce(),
    };

    private LoginVerdict.Verifier Decoy(string login) => WithAppPasswords(new LoginVerdict.Verifier(_books.Decoys.For(login)), login);

    /// <summary>
    /// Who is let in gets the whole grant: what the configuration and the commands add, as the secret has it. An app password may be for
    /// some of it only, and then nothing else passes.
    /// </summary>
    private async ValueTask<LoginVerdict> ResolveAsync(LoginVerdict verdict, CancellationToken cancel)
    {
        if (verdict is not LoginVerdict.Granted granted)
        {
            return verdict;
        }

        var grant = await Grants.ResolveAsync(granted.Entry, cancel);
        var through = granted.Through;
        return granted with
        {
            Grant = grant with
            {
                Through = through?.Name,
                Only = through?.Senders ?? [],
                Mode = through is { Senders.IsEmpty: false } ? SenderMode.Refuse : grant.Mode,
                Note = granted.Outage is { } outage ? $"directory {outage.Directory} is away ({outage.Why}); it goes by its last success from "
                    + $"this network, {outage.Since.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}Z" : granted.Note,
                Outage = granted.Outage?.Directory ?? "",
            },
        };
    }
}
