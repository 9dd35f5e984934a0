using System.Collections.Immutable;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Offline;

namespace Sallyport.Server.Identity;

/// <summary>Verifies what PLAIN and LOGIN bring: an app password by ourselves, any other by the directories.</summary>
public sealed class PasswordVerifier(
    DirectoryChain chain, AppPasswordVerifier appPasswords, RememberedSuccesses remembered, AppPasswordOptions options)
{
    /// <param name="login">Prepared.</param>
    public async ValueTask<LoginVerdict> VerifyAsync(LoginAttempt attempt, string login, TypedPassword password, CancellationToken cancel)
    {
        if (password.AppPassword is { } secret)
        {
            return await appPasswords.VerifyAsync(attempt, login, secret, cancel);
        }

        if (RefusalOfOwn(login, []) is { } refused)
        {
            return refused; // without a word on whether it was right, and without asking
        }

        var verdict = await chain.AskAsync<IPasswordDirectory>(
            one => remembered.AskAsync(one, attempt, login, password.Text, cancel), cancel);
        return verdict is LoginVerdict.Granted { Entry: var entry } && RefusalOfOwn(entry.Login, entry.Groups) is { } late ? late : verdict;
    }

    /// <summary>A login that needs an app password is refused its own.</summary>
    public LoginVerdict.Denied? RefusalOfOwn(string login, ImmutableArray<string> groups) =>
        options.IsRequired(login, groups) ? new LoginVerdict.Denied(LoginReason.AppPasswordRequired) { IsKnown = true } : null;
}

/// <summary>A password as it was typed, read once.</summary>
/// <param name="AppPassword">Its secret when it has the form of an app password; null when it has not.</param>
public readonly record struct TypedPassword(string Text, string? AppPassword)
{
    public static TypedPassword Of(string typed) => new(typed, AppPasswordText.Parse(typed));
}
