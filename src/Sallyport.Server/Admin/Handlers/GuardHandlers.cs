using System.Net;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class GuardHandlers(AdminServices services)
{
    private static readonly TimeSpan LongestBan = TimeSpan.FromDays(3650);

    public void Register(AdminHandlers handlers)
    {
        handlers.On(GuardOperations.List, (_, _) => ValueTask.FromResult<BanView[]>(
            [.. services.Books.Guard.Bans().Select(ban => new BanView(ban.Network, ban.Since, ban.Until, ban.By, ban.Why))]));
        handlers.On(GuardOperations.Add, async (ban, _) => await StoredAsync(Add(ban)));
        handlers.On(GuardOperations.Remove, async (name, _) => await StoredAsync(Remove(name.Address)));
        handlers.On(GuardOperations.Reset, async (name, _) => await StoredAsync(Reset(name.Login)));
        handlers.On(GuardOperations.Stale, (_, _) => ValueTask.FromResult<StaleView[]>(
            [.. services.Books.Guard.StaleSecrets().Select(stale =>
                new StaleView(stale.Login, stale.Client, stale.First, stale.Last, stale.Times))]));
    }

    private AdminAnswer Add(NewBan ban)
    {
        if (!IPAddress.TryParse(ban.Address, out var address))
        {
            return new(false, $"\"{DisplayText.Sanitize(ban.Address)}\" is not an IP address");
        }

        var length = TimeSpan.FromSeconds(Math.Clamp(ban.Seconds, 1, (long)LongestBan.TotalSeconds));
        var made = services.Books.Guard.Ban(address, length);
        return new(true, $"{made.Network} is banned until {made.Until:u}");
    }

    private AdminAnswer Remove(string text) => !IPAddress.TryParse(text, out var address)
        ? new(false, $"\"{DisplayText.Sanitize(text)}\" is not an IP address")
        : services.Books.Guard.Unban(address)
            ? new(true, $"{text} may log in again; what counted against it is forgotten")
            : new(false, $"{text} is not banned");

    private AdminAnswer Reset(string login)
    {
        if (Credentials.PrepareLogin(login) is not { } prepared)
        {
            return new(false, $"\"{DisplayText.Sanitize(login)}\" can be no login");
        }

        services.Books.Forget(prepared);
        return new(true, $"nothing is held against {prepared} any more; bans of networks stay");
    }

    private async ValueTask<AdminAnswer> StoredAsync(AdminAnswer answer)
    {
        await services.Books.Journal.FlushAsync();
        return answer;
    }
}
