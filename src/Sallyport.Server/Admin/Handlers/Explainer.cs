using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Routing;
using Sallyport.Server.Sending;

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
            steps.Add(new("suspension", "refused", "it is suspended: it can log in but cannot send until "
                + (suspension.Until is { } until ? $"{until.UtcDateTime:yyyy-MM-dd HH:mm}Z" : "resumed")
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

    private static ExplainedStep AskAppPasswords(Grant grant, IdentityService identity)
    {
        var all = identity.AppPasswords.Book.Of(Credentials.PrepareLogin(grant.Login) ?? "");
        var own = identity.Passwords.RefusalOfOwn(grant.Login, grant.Groups) is null
            ? "its own password is taken" : "it needs one: its own password is refused (app_passwords.required)";
        return new("app passwords", "ok", all.IsEmpty ? $"none; {own}" : own + "; " + string.Join(", ", all.Select(one => one.Shown
            + (one.Senders.IsEmpty ? "" : " only as " + string.Join(" ", one.Senders)))));
    }

    private static ExplainedStep AskSender(string from, Grant grant)
    {
        if (from is "" or "<>")
        {
            return new("sender", "ok", "the null sender is for reports; any login may use it");
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
