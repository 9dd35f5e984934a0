using System.Collections.Immutable;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.AppPasswords;

namespace Sallyport.Server.Identity;

/// <summary>Judges what PLAIN and LOGIN bring: an app password by ourselves, any other by the directories.</summary>
public sealed class PasswordJudge(
    ImmutableArray<IDirectory> directories, DirectoryWalk walk, AppPasswordJudge appPasswords, RememberedSuccesses remembered,
    AppPasswordOptions options)
{
    private const string AppPasswordRequired = "the login's own password is refused: app_passwords.required asks for an app password";

    private readonly ImmutableArray<IDirectory> _directories = [.. directories.OfType<IPasswordDirectory>()];

    /// <param name="login">Prepared.</param>
    public async ValueTask<Judgement> JudgeAsync(LoginAttempt attempt, string login, string password, CancellationToken cancel)
    {
        if (AppPasswordText.Parse(password) is { } secret)
        {
            return await appPasswords.JudgeAsync(attempt, login, secret, cancel);
        }

        if (RefusalOfOwn(login, []) is { } refused)
        {
            return refused; // without a word on whether it was right, and without asking
        }

        Judgement? last = null;
        var (answer, _) = await walk.AskAsync(
            _directories,
            async one => (last = await remembered.AskAsync((IPasswordDirectory)one, attempt, login, password, cancel)).Answer, cancel);
        var judged = last is not null && ReferenceEquals(last.Answer, answer) ? last : answer;
        return answer is DirectoryAnswer.Granted { Entry: var entry } && RefusalOfOwn(entry.Login, entry.Groups) is { } late ? late : judged;
    }

    /// <summary>A login that needs an app password is refused its own.</summary>
    public Judgement? RefusalOfOwn(string login, ImmutableArray<string> groups) =>
        options.IsRequired(login, groups) ? Judgement.Refused(AppPasswordRequired) : null;
}
