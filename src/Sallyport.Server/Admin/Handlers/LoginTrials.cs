using Sallyport.Mail.Sasl;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Admin.Handlers;

/// <summary>Logins tried by the very functions that decide for real, each step told.</summary>
internal static class LoginTrials
{
    public static async ValueTask<LoginTrial> TryLoginAsync(LoginQuery query, IdentityService identity, CancellationToken cancel)
    {
        var steps = new List<ExplainedStep>();
        var login = Credentials.PrepareLogin(query.Login);
        var password = Credentials.Prepare(query.Password);
        if (login is null || string.IsNullOrEmpty(password))
        {
            steps.Add(new("typed", "refused", login is null ? "this is not a valid login" : "this is not a valid password"));
            return new(false, [.. steps]);
        }

        if (AppPasswordText.Parse(password) is { } secret)
        {
            return await TryAppPasswordAsync(login, secret, steps, identity, cancel);
        }

        foreach (var directory in identity.Directories.OfType<IPasswordDirectory>())
        {
            List<DirectoryStep> inside = [];
            var answer = directory is IExplainingDirectory explaining
                ? await explaining.CheckPasswordAsync(login, password, inside, cancel)
                : await directory.CheckPasswordAsync(login, password, cancel);
            steps.AddRange(inside.ToArray().Select(step => new ExplainedStep($"{directory.Name}: {step.What}", step.Outcome, step.Detail)));
            var (outcome, because) = answer switch
            {
                LoginVerdict.Granted granted => ("ok", "the password is right; the directory says it may send as "
                    + (granted.Entry.Addresses.IsEmpty ? "nobody" : string.Join(", ", granted.Entry.Addresses))),
                LoginVerdict.Denied { Reason: LoginReason.UnknownLogin, Detail: var detail } =>
                    ("next", $"does not know {login}" + (detail.Length > 0 ? $": {detail}" : "")),
                { Reason: LoginReason.UnknownOrWrong } =>
                    ("next", $"does not know {login}, or the password is wrong: this server does not tell which"),
                { Reason: LoginReason.Expired } => ("refused", "the password has expired"),
                { Reason: LoginReason.Disabled } => ("refused", "the account is disabled"),
                LoginVerdict.Unavailable unavailable => ("unavailable", unavailable.Why + "; the client would get 454 and come again"),
                _ => ("refused", "the password is wrong"),
            };
            steps.Add(new("directory " + directory.Name, outcome, because));
            if (outcome != "next")
            {
                return new(outcome == "ok" && MayUseOwn(login, answer, steps, identity), [.. steps]);
            }
        }

        steps.Add(new("directories", "refused", "none knows this login"));
        return new(false, [.. steps]);
    }

    /// <summary>From nowhere in particular: the networks it is for are shown, not tried.</summary>
    private static async ValueTask<LoginTrial> TryAppPasswordAsync(
        string login, string secret, List<ExplainedStep> steps, IdentityService identity, CancellationToken cancel)
    {
        var password = identity.AppPasswords.Book.FindBySecret(secret);
        var verdict = password is null ? AppPasswordVerifier.NoneOfOurs : await identity.AppPasswords.TryAsync(login, password, cancel);
        var (outcome, because) = verdict switch
        {
            LoginVerdict.Granted granted => ("ok", $"it is {password!.Shown} of {password.Login}, "
                + $"{(password.Networks.IsEmpty ? "from anywhere" : "only from " + string.Join(", ", password.Networks))}, "
                + (password.Senders.IsEmpty ? "for all the login may send as" : "to send only as " + string.Join(", ", password.Senders))
                + (granted.Note.Length > 0 ? "; " + granted.Note : "")),
            LoginVerdict.Unavailable unavailable => ("unavailable", unavailable.Why + "; the client would get 454 and come again"),
            { Reason: LoginReason.Disabled or LoginReason.Expired } => ("refused", "the account is disabled"),
            { IsForTheNext: true } => ("refused", $"no directory knows {login}"),
            _ => ("refused", verdict.Why),
        };
        steps.Add(new("app passwords", outcome, because));
        return new(outcome == "ok", [.. steps]);
    }

    /// <summary>The login's own password is right; does the site take it?</summary>
    private static bool MayUseOwn(string typed, LoginVerdict answer, List<ExplainedStep> steps, IdentityService identity)
    {
        var entry = (answer as LoginVerdict.Granted)?.Entry;
        if (identity.Passwords.RefusalOfOwn(typed, []) is null
            && (entry is null || identity.Passwords.RefusalOfOwn(entry.Login, entry.Groups) is null))
        {
            return true;
        }

        steps.Add(new("app passwords", "refused", "it needs an app password: app_passwords.required refuses its own, unseen"));
        return false;
    }

    /// <summary>Every server of every directory that depends on some.</summary>
    public static async ValueTask<DirectoryTrial> TryDirectoriesAsync(IdentityService identity, CancellationToken cancel)
    {
        var steps = new List<ExplainedStep>();
        foreach (var directory in identity.Directories.OfType<ITryableDirectory>())
        {
            steps.AddRange((await directory.TryAsync(cancel)).Select(step => new ExplainedStep(step.What, step.Outcome, step.Detail)));
        }

        return new([.. steps]);
    }

    /// <summary>Each directory that takes tokens, each check it makes.</summary>
    public static async ValueTask<LoginTrial> TryTokenAsync(TokenQuery query, IdentityService identity, CancellationToken cancel)
    {
        var steps = new List<ExplainedStep>();
        var login = string.IsNullOrEmpty(query.Login) ? null : Credentials.PrepareLogin(query.Login);
        foreach (var directory in identity.Directories.OfType<ITokenDirectory>())
        {
            var (judged, checks) = await directory.EvaluateTokenAsync(query.Token, login, cancel);
            steps.AddRange(checks.Select(check => new ExplainedStep(
                $"{directory.Name}: {check.Check}", check.Passed switch { true => "ok", false => "refused", null => "-" }, check.Because)));
            var answer = await identity.CompleteAsync(judged with { Directory = directory.Name }, cancel);
            if (answer is { Reason: LoginReason.UnknownLogin })
            {
                continue;
            }

            var (outcome, because) = answer switch
            {
                LoginVerdict.Granted granted => ("ok", $"it is {granted.Entry.Login}'s, who may send as {Those(granted.Entry.Addresses)}"),
                LoginVerdict.Unavailable unavailable => ("unavailable", unavailable.Why + "; the client would get 454 and come again"),
                { Reason: LoginReason.Disabled or LoginReason.Expired } => ("refused", "the account is disabled or has expired"),
                _ => ("refused", answer.Why),
            };
            steps.Add(new("directory " + directory.Name, outcome, because));
            return new(outcome == "ok", [.. steps]);
        }

        steps.Add(new("directories", "refused", "none takes this token"));
        return new(false, [.. steps]);
    }

    private static string Those(IReadOnlyCollection<string> addresses) => addresses.Count == 0 ? "nobody" : string.Join(", ", addresses);
}
