using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Local;
using Sallyport.Server.Identity.Grants;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class GrantHandlers(AdminServices services)
{
    private const int TextCharactersMax = 250;

    public void Register(AdminDispatcher handlers)
    {
        handlers.On(GrantOperations.List, (query, _) => ValueTask.FromResult(AdminPaging.Cut(
            services.Site.Current.Identity.Grants.Rules.Select(rule => new GrantView(rule.To, rule.As, rule.Source)),
            grant => string.Join('\0', grant.To, grant.As, grant.Source), query.Limit, query.After)));
        handlers.On(GrantOperations.Add, AddAsync);
        handlers.On(GrantOperations.Remove, async (pair, call) => await services.Books.Grants.RemoveAsync(pair.To, pair.As, call.Cancel)
            ? new(true, AdminCodes.GrantRemoved, $"{DisplayText.Sanitize(pair.To)} may no longer send as {DisplayText.Sanitize(pair.As)} by command")
            : new(false, AdminCodes.GrantUnknown,
                $"no grant by command lets {DisplayText.Sanitize(pair.To)} send as {DisplayText.Sanitize(pair.As)}"));
        handlers.On(GrantOperations.Of, OfAsync);
        handlers.On(GrantOperations.WhoMaySendAs, WhoMaySendAsAsync);
    }

    private async ValueTask<AdminAnswer> AddAsync(GrantPair pair, AdminCall call)
    {
        if ((GrantRule.SubjectMistake(pair.To) ?? GrantRule.SenderMistake(pair.As)) is { } mistake)
        {
            return new(false, AdminCodes.InvalidGrant, DisplayText.Sanitize(mistake));
        }

        if (pair.To.Length > TextCharactersMax || pair.As.Length > TextCharactersMax)
        {
            return new(false, AdminCodes.InvalidGrant, $"a grant has at most {TextCharactersMax} characters on each side");
        }

        return await services.Books.Grants.AddAsync(new StoredGrant(pair.To, pair.As, services.Time.GetUtcNow()), call.Cancel)
            ? new(true, AdminCodes.GrantAdded, $"{pair.To} may send as {pair.As} from the next login or message on")
            : new(false, AdminCodes.GrantExists, $"{pair.To} may send as {pair.As} already");
    }

    private async ValueTask<GrantsOfLogin> OfAsync(UserName name, AdminCall call)
    {
        var verdict = await services.Site.Current.Identity.FindGrantAsync(name.Login, call.Cancel);
        return verdict is LoginVerdict.Granted { Grant: var grant }
            ? new(grant.Login, null, grant.Directory, [.. grant.Groups], grant.Mode.ToString().ToLowerInvariant(),
                [.. grant.Rights.Select(right => new RightView(right.Sender, right.Source))])
            : new(name.Login, verdict.Why, null, [], null, []);
    }

    private async ValueTask<WhoMaySend> WhoMaySendAsAsync(AddressName name, AdminCall call)
    {
        if (!MailboxParser.TryParse(name.Address, out var mailbox))
        {
            return new(name.Address, $"\"{DisplayText.Sanitize(name.Address)}\" is not a mail address", []);
        }

        var accounts = (await services.Store.Accounts.ListAsync(call.Cancel))
            .Select(account => new DirectoryEntry(account.Login, "local", LocalDirectory.AddressesOf(account), []));
        var who = await services.Site.Current.Identity.Grants.WhoMaySendAsAsync(mailbox!, accounts, call.Cancel);
        return new(name.Address, null, [.. who.Select(right => new MaySendView(right.Sender, right.Source))]);
    }
}
