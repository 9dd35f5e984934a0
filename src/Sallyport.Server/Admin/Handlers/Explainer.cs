using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Routing;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Admin.Handlers;

/// <summary>Runs the very functions a session runs, on facts the operator imagines.</summary>
internal static class Explainer
{
    public static async ValueTask<Explanation> ExplainAsync(
        ExplainQuery query, RouteTable routes, IdentityService identity, Func<Grant, ValueTask<ExplainedStep>> askLimits, Breaker? breaker,
        CancellationToken cancel)
    {
        var steps = new List<ExplainedStep>();
        var verdict = await identity.FindGrantAsync(query.Login, cancel);
        if (verdict is not LoginVerdict.Granted { Grant: var grant })
        {
            steps.Add(new("login", "refused", verdict.Why));
            return new(false, [.. steps]);
        }

        var may = grant.Addresses.IsEmpty ? "nobody" : string.Join(", ", grant.Addresses);
        steps.Add(new("login", "ok", $"directory {grant.Directory} knows {grant.Login}; it may send as {may}"));
        if (identity.Suspensions.Find(grant.Login) is { } suspension)
        {
            steps.Add(new("suspension", "refused", "it may log in and not send, "
                + (suspension.Until is { } until ? $"until {until.UtcDateTime:yyyy-MM-dd HH:mm}Z"
                    : $"until `sallyport login resume {ShellWord.Of(grant.Login)}`")
                + (suspension.Why.Length > 0 ? $": {suspension.Why}" : "")));
        }

        steps.Add(AskAppPasswords(grant, identity));
        steps.Add(AskSender(query.From, grant));
        steps.Add(AskRoute(query.To, routes));
        steps.Add(await askLimits(grant));
        if (breaker is not null)
        {
            steps.Add(AskBreaker(breaker.StateOf(grant.Login, grant.Groups)));
        }

        return new(steps.TrueForAll(step => step.Outcome is "ok" or "held"), [.. steps]);
    }

    private static ExplainedStep AskBreaker(BreakerState state) =>
        state.Trip is { } trip ? new("breaker", "held", trip.Reason)
        : state.Signs.Length == 0 ? new("breaker", "ok", "it is never stopped: [breaker] or its entry in [[breaker.for]] says so")
        : new("breaker", "ok", string.Join("; ", state.Signs.Select(sign => $"{sign.Name} {sign.Count} of {sign.Allowed}")));

    public static async ValueTask<LoginTrial> TryLoginAsync(LoginQuery query, IdentityService identity, CancellationToken cancel)
    {
        var steps = new List<ExplainedStep>();
        var login = Credentials.PrepareLogin(query.Login);
        var password = Credentials.Prepare(query.Password);
        if (login is null || string.IsNullOrEmpty(password))
        {
            steps.Add(new("typed", "refused", login is null ? "this can be no login" : "this can be no password"));
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

    private static ExplainedStep AskAppPasswords(Grant grant, IdentityService identity)
    {
        var all = identity.AppPasswords.Book.Of(Credentials.PrepareLogin(grant.Login) ?? "");
        var own = identity.Passwords.RefusalOfOwn(grant.Login, grant.Groups) is null
            ? "its own password is taken" : "it needs one: its own password is refused (app_passwords.required)";
        return new("app passwords", "ok", all.IsEmpty ? $"none; {own}" : own + "; " + string.Join(", ", all.Select(one => one.Shown
            + (one.Senders.IsEmpty ? "" : " only as " + string.Join(" ", one.Senders)))));
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
            var (judged, checks) = await directory.JudgeTokenAsync(query.Token, login, cancel);
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

    private static ExplainedStep AskSender(string from, Grant grant)
    {
        if (from is "" or "<>")
        {
            return new("sender", "ok", "the null sender is for reports, and anybody's who has logged in");
        }

        if (!MailboxParser.TryParse(from, out var mailbox))
        {
            return new("sender", "refused", $"\"{DisplayText.Sanitize(from)}\" is not a mail address");
        }

        return SenderPolicy.Decide(grant, new ReversePath(mailbox)).Refusal is { } refusal
            ? new("sender", "refused", Replies.SenderNotGranted(refusal).ToString())
            : new("sender", "ok", $"{mailbox} is granted to {grant.Login}, in MAIL FROM and in the From and Sender headers");
    }

    private static ExplainedStep AskRoute(string to, RouteTable routes)
    {
        if (!MailboxParser.TryParse(to, out var mailbox))
        {
            return new("recipient", "refused", $"\"{DisplayText.Sanitize(to)}\" is not a mail address");
        }

        if (routes.Find(mailbox!) is not { } hop)
        {
            return new("route", "refused", $"no route takes {mailbox!.AsciiDomain}");
        }

        var how = hop.Route.Capture is not null ? "" : $", tls {hop.Route.Tls.ToString().ToLowerInvariant()}"
            + (hop.Route.Login is { } login ? $", as {login}" : "");
        return new("route", "ok", $"route {hop.Number} ({string.Join(", ", hop.Route.Recipients)}) leads to {hop}{how}");
    }
}
