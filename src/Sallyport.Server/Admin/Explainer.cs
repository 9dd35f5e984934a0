using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Identity;
using Sallyport.Server.Routing;

namespace Sallyport.Server.Admin;

/// <summary>Runs the very functions a session runs, on facts the operator imagines.</summary>
internal static class Explainer
{
    public static async ValueTask<Explanation> ExplainAsync(
        ExplainQuery query, RouteTable routes, IdentityService identity, CancellationToken cancel)
    {
        var steps = new List<ExplainedStep>();
        var (answer, why) = await identity.FindGrantAsync(query.Login, null, cancel);
        if (answer is not LoginAnswer.Granted { Grant: var grant })
        {
            steps.Add(new("login", "refused", why));
            return new(false, [.. steps]);
        }

        var may = grant.Addresses.IsEmpty ? "nobody" : string.Join(", ", grant.Addresses);
        steps.Add(new("login", "ok", $"directory {grant.Directory} knows {grant.Login}; it may send as {may}"));
        steps.Add(AskSender(query.From, grant));
        steps.Add(AskRoute(query.To, routes));
        return new(steps.TrueForAll(step => step.Outcome == "ok"), [.. steps]);
    }

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

        foreach (var directory in identity.Directories.OfType<IPasswordDirectory>())
        {
            var answer = await CheckAsync(directory, login, password, steps, cancel);
            var (outcome, because) = answer switch
            {
                DirectoryAnswer.Granted granted => ("ok", $"the password is right; it may send as {string.Join(", ", granted.Entry.Addresses)}"),
                DirectoryAnswer.Unknown => ("next", $"does not know {login}"),
                DirectoryAnswer.UnknownOrWrong => ("next", $"does not know {login}, or the password is wrong: this server does not tell which"),
                DirectoryAnswer.Expired => ("refused", "the password has expired"),
                DirectoryAnswer.Disabled => ("refused", "the account is disabled"),
                DirectoryAnswer.Unavailable unavailable => ("unavailable", unavailable.Why + "; the client would get 454 and come again"),
                _ => ("refused", "the password is wrong"),
            };
            steps.Add(new("directory " + directory.Name, outcome, because));
            if (outcome != "next")
            {
                return new(outcome == "ok", [.. steps]);
            }
        }

        steps.Add(new("directories", "refused", "none knows this login"));
        return new(false, [.. steps]);
    }

    /// <summary>Asks the directory as a login does; one that can tell how it came to its answer tells.</summary>
    private static async ValueTask<DirectoryAnswer> CheckAsync(
        IPasswordDirectory directory, string login, string password, List<ExplainedStep> steps, CancellationToken cancel)
    {
        if (directory is not IExplainingDirectory explaining)
        {
            return await directory.CheckPasswordAsync(login, password, cancel);
        }

        var taken = new List<DirectoryStep>();
        var answer = await explaining.CheckPasswordAsync(login, password, taken, cancel);
        steps.AddRange(taken.Select(step => new ExplainedStep(step.What, step.Outcome, step.Detail)));
        return answer;
    }

    private static ExplainedStep AskSender(string from, Grant grant)
    {
        if (from is "" or "<>")
        {
            return new("sender", "ok", "the null sender is for reports, and anybody's who has logged in");
        }

        if (!MailboxParser.TryParse(from, out var mailbox))
        {
            return new("sender", "refused", $"\"{Replies.Printable(from)}\" is not a mail address");
        }

        return SenderPolicy.CheckReversePath(grant, new ReversePath(mailbox)) is { } refusal
            ? new("sender", "refused", refusal.ToString())
            : new("sender", "ok", $"{mailbox} is granted to {grant.Login}, in MAIL FROM and in the From and Sender headers");
    }

    private static ExplainedStep AskRoute(string to, RouteTable routes)
    {
        if (!MailboxParser.TryParse(to, out var mailbox))
        {
            return new("recipient", "refused", $"\"{Replies.Printable(to)}\" is not a mail address");
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
