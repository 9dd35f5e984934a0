using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Offline;

namespace Sallyport.Server.Identity.AppPasswords;

/// <summary>
/// Verifies app passwords. No directory ever sees one; the login's directory is asked whether it knows the login and lets it in, and its
/// no is the last word.
/// </summary>
public sealed class AppPasswordVerifier(AppPasswordRegistry book, DirectoryChain chain, RememberedSuccesses remembered, TimeProvider time)
{
    public static LoginVerdict NoneOfOurs { get; } = new LoginVerdict.Denied(LoginReason.AppPasswordUnknown);

    public AppPasswordRegistry Book => book;

    /// <param name="login">Prepared.</param>
    /// <param name="secret">From <see cref="AppPasswordText.Parse"/>.</param>
    public async ValueTask<LoginVerdict> VerifyAsync(LoginAttempt attempt, string login, string secret, CancellationToken cancel) =>
        book.FindBySecret(secret) is { } password
            ? await VerifyAsync(attempt, login, password, cancel)
            : NoneOfOurs;

    /// <summary>The secret was this password's: may it be used from there and now, by this login?</summary>
    public async ValueTask<LoginVerdict> VerifyAsync(LoginAttempt attempt, string login, AppPassword password, CancellationToken cancel)
    {
        if (password.Refusal(attempt.Client, time.GetUtcNow()) is { } refusal)
        {
            return refusal;
        }

        var found = await LookUpAsync(login, cancel);
        var verdict = Match(password, found.Directory.Length == 0 ? Named(login, found) : remembered.Found(login, attempt, found));
        if (verdict is LoginVerdict.Granted)
        {
            book.Used(password, attempt.Client, time.GetUtcNow());
        }

        return verdict;
    }

    /// <summary>The same without a look at where it comes from, and without a trace.</summary>
    public async ValueTask<LoginVerdict> TryAsync(string login, AppPassword password, CancellationToken cancel) =>
        password.HasExpired(time.GetUtcNow())
            ? Denied(LoginReason.AppPasswordExpired, $"{password.Shown} of {password.Login} has expired")
            : Match(password, await FindAsync(login, cancel));

    /// <summary>Why a session may not go on with it; null when it may.</summary>
    public LoginVerdict? Revoked(string id) =>
        book.Find(id) is not { } password ? Denied(LoginReason.AppPasswordRevoked, "")
        : password.HasExpired(time.GetUtcNow()) ? Denied(LoginReason.AppPasswordExpired, $"its {password.Shown} has expired")
        : null;

    /// <summary>
    /// Whom the login is, without any secret. Where no directory can look up, the first that names logins by their form does, and nobody
    /// has checked that there is such a login.
    /// </summary>
    public async ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) => Named(login, await LookUpAsync(login, cancel));

    private ValueTask<LoginVerdict> LookUpAsync(string login, CancellationToken cancel) =>
        chain.AskAsync<IDirectory>(one => one.FindAsync(login, cancel), cancel);

    private LoginVerdict Named(string login, LoginVerdict verdict) =>
        verdict.Reason is LoginReason.CannotLookUp or LoginReason.UnknownOrWrong ? Unchecked(login) : verdict;

    private static LoginVerdict Match(AppPassword password, LoginVerdict found) => found switch
    {
        LoginVerdict.Granted { Entry.Login: var name } when password.Login != Credentials.PrepareLogin(name) =>
            Denied(LoginReason.AppPasswordOwner, $"{password.Shown} is {password.Login}'s"),
        LoginVerdict.Granted granted => granted with { Through = password.ToProven() },
        _ => found,
    };

    private static LoginVerdict.Denied Denied(LoginReason reason, string detail) => new(reason, detail) { IsKnown = true };

    private LoginVerdict.Granted Unchecked(string login)
    {
        var naming = chain.Directories.OfType<INamingDirectory>().FirstOrDefault();
        var name = naming?.Name ?? chain.Directories.First().Name;
        var own = MailboxParser.TryParse(login, out var mailbox) ? ImmutableArray.Create(mailbox!.Canonical) : [];
        return new LoginVerdict.Granted(naming?.EntryOf(login) ?? new DirectoryEntry(login, name, own, []))
        {
            Note = $"directory {name} cannot say whether the login still exists",
        };
    }
}
