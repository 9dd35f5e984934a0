using System.Net;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class GuardHandlers(AdminServices services)
{
    private static readonly TimeSpan LongestBan = TimeSpan.FromDays(3650);

    public void Register(AdminDispatcher handlers)
    {
        handlers.On(GuardOperations.List, (query, _) => ValueTask.FromResult(AdminPaging.Cut(
            services.Books.Guard.Bans().Select(ban => new BanView(ban.Network, ban.Since, ban.Until, ban.By, ban.Why)),
            ban => ban.Network, query.Limit, query.After)));
        handlers.On(GuardOperations.Add, async (ban, _) => await StoredAsync(Add(ban)));
        handlers.On(GuardOperations.Remove, async (name, _) => await StoredAsync(Remove(name.Address)));
        handlers.On(GuardOperations.Reset, async (name, _) => await StoredAsync(Reset(name.Login)));
        handlers.On(GuardOperations.Stale, (query, _) => ValueTask.FromResult(AdminPaging.Cut(
            services.Books.Guard.StaleSecrets().Select(stale =>
                new StaleView(stale.Login, stale.Client, stale.First, stale.Last, stale.Times)),
            stale => stale.Login + "\0" + stale.Client, query.Limit, query.After)));
    }

    private AdminAnswer Add(NewBan ban)
    {
        if (!IPAddress.TryParse(ban.Address, out var address))
        {
            return new(false, AdminCodes.InvalidIpAddress, $"\"{DisplayText.Sanitize(ban.Address)}\" is not an IP address");
        }

        var length = TimeSpan.FromSeconds(Math.Clamp(ban.Seconds, 1, (long)LongestBan.TotalSeconds));
        var made = services.Books.Guard.Ban(address, length);
        return new(true, AdminCodes.BanAdded, $"{made.Network} is banned until {made.Until:u}");
    }

    private AdminAnswer Remove(string text) => !IPAddress.TryParse(text, out var address)
        ? new(false, AdminCodes.InvalidIpAddress, $"\"{DisplayText.Sanitize(text)}\" is not an IP address")
        : services.Books.Guard.Unban(address)
            ? new(true, AdminCodes.BanRemoved, $"{text} may log in again; its failed logins are forgotten")
            : new(false, AdminCodes.BanUnknown, $"{text} is not banned");

    private AdminAnswer Reset(string login)
    {
        if (Credentials.PrepareLogin(login) is not { } prepared)
        {
            return new(false, AdminCodes.InvalidLogin, $"\"{DisplayText.Sanitize(login)}\" is not a valid login");
        }

        services.Books.Forget(prepared);
        return new(true, AdminCodes.FailuresForgotten, $"the failed logins of {prepared} are forgotten; bans of networks stay");
    }

    private async ValueTask<AdminAnswer> StoredAsync(AdminAnswer answer)
    {
        await services.Books.State.FlushAsync();
        return answer;
    }
}
