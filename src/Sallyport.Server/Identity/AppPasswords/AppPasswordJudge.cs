using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity.AppPasswords;

/// <summary>
/// Judges app passwords. No directory ever sees one; the login's directory is asked whether it knows the login and lets it in, and its
/// no is the last word.
/// </summary>
public sealed class AppPasswordJudge(
    AppPasswordBook book, ImmutableArray<IDirectory> directories, DirectoryWalk walk, RememberedSuccesses remembered, TimeProvider time)
{
    public static Judgement NoneOfOurs { get; } = new(new DirectoryAnswer.Refused("an app password that was revoked, or never was one here"));

    public AppPasswordBook Book => book;

    /// <param name="login">Prepared.</param>
    /// <param name="secret">From <see cref="AppPasswordText.Parse"/>.</param>
    public async ValueTask<Judgement> JudgeAsync(LoginAttempt attempt, string login, string secret, CancellationToken cancel) =>
        book.FindBySecret(secret) is { } password
            ? await JudgeAsync(attempt, login, password, cancel)
            : NoneOfOurs;

    /// <summary>The secret was this password's: may it be used from there and now, by this login?</summary>
    public async ValueTask<Judgement> JudgeAsync(LoginAttempt attempt, string login, AppPassword password, CancellationToken cancel)
    {
        if (password.Refusal(attempt.Client, time.GetUtcNow()) is { } refusal)
        {
            return Judgement.Refused(refusal);
        }

        var (answer, directory) = await LookUpAsync(login, cancel);
        var judged = Match(password, directory.Length == 0 ? Named(login, answer) : remembered.Found(directory, login, attempt, answer));
        if (judged.Answer is DirectoryAnswer.Granted)
        {
            book.Used(password, attempt.Client, time.GetUtcNow());
        }

        return judged;
    }

    /// <summary>The same without a look at where it comes from, and without a trace.</summary>
    public async ValueTask<Judgement> TryAsync(string login, AppPassword password, CancellationToken cancel) =>
        password.HasExpired(time.GetUtcNow())
            ? Judgement.Refused($"{password.Shown} of {password.Login} has expired")
            : Match(password, await FindAsync(login, cancel));

    /// <summary>Why a session may not go on with it; null when it may.</summary>
    public string? RevokedSince(string id) =>
        book.Find(id) is not { } password ? "its app password was revoked"
        : password.HasExpired(time.GetUtcNow()) ? $"its {password.Shown} has expired"
        : null;

    /// <summary>
    /// Whom the login is, without any secret. Where no directory can look up, the first that names logins by their form does, and nobody
    /// has checked that there is such a login.
    /// </summary>
    public async ValueTask<Judgement> FindAsync(string login, CancellationToken cancel) => Named(login, (await LookUpAsync(login, cancel)).Answer);

    private ValueTask<(DirectoryAnswer Answer, string Directory)> LookUpAsync(string login, CancellationToken cancel) =>
        walk.AskAsync(directories, one => one.FindAsync(login, cancel), cancel);

    private Judgement Named(string login, DirectoryAnswer answer) =>
        answer is DirectoryAnswer.CannotLookUp or DirectoryAnswer.UnknownOrWrong ? Unchecked(login) : answer;

    private static Judgement Match(AppPassword password, Judgement found) =>
        found.Answer is not DirectoryAnswer.Granted { Entry.Login: var name } ? found with { Known = true }
        : password.Login != Credentials.PrepareLogin(name) ? Judgement.Refused($"{password.Shown} is {password.Login}'s")
        : found with { Through = password };

    private Judgement Unchecked(string login)
    {
        var naming = directories.OfType<INamingDirectory>().FirstOrDefault();
        var name = naming?.Name ?? directories.First().Name;
        var own = MailboxParser.TryParse(login, out var mailbox) ? ImmutableArray.Create(mailbox!.Canonical) : [];
        return new Judgement(new DirectoryAnswer.Granted(naming?.EntryOf(login) ?? new DirectoryEntry(login, name, own, [])))
        {
            Note = $"directory {name} cannot say whether the login still exists",
        };
    }
}
