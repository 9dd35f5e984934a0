using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class LoginHandlers(AdminServices services)
{
    private const int LoginLengthMax = 500;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    public void Register(AdminDispatcher handlers)
    {
        handlers.On(LoginOperations.List, (query, _) => ValueTask.FromResult(AdminPaging.Cut(
            services.Books.Suspensions.All.Select(View).Concat(services.Breaker.Trips.Select(
                trip => new SuspensionView(trip.Login, "stopped", trip.At, null, trip.Reason))),
            one => one.Login + "\0" + one.State, query.Limit, query.After)));
        handlers.On(LoginOperations.Show, ShowAsync);
        handlers.On(LoginOperations.Suspend, SuspendAsync);
        handlers.On(LoginOperations.Resume, ResumeAsync);
    }

    private async ValueTask<AdminAnswer> SuspendAsync(NewSuspension asked, AdminCall call)
    {
        var cancel = call.Cancel;
        var length = asked.Seconds is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, Longest.TotalSeconds)) : (TimeSpan?)null;
        var mistake = Credentials.PrepareLogin(asked.Login) is not { Length: <= LoginLengthMax } ? "that is not a valid login"
            : length < TimeSpan.FromSeconds(1) ? "the time must be a second or more"
            : asked.Why.Length > SuspensionRegistry.WhyLengthMax ? $"the reason must have at most {SuspensionRegistry.WhyLengthMax} characters"
            : asked.Why.Any(char.IsControl) ? "the reason has a control character" : null;
        if (mistake is not null)
        {
            return new(false, AdminCodes.InvalidSuspension, mistake);
        }

        var login = await LoginNaming.OfAsync(services, asked.Login, cancel);
        var suspension = await services.Books.Suspensions.SuspendAsync(login, length, asked.Why, cancel);
        services.Log.Write(new MailEvent.LoginSuspended(suspension.Login, suspension.Until, suspension.Why));
        var held = asked.HoldQueue
            ? await services.Store.Spool.HoldDueOfAsync(login, "its login is suspended", cancel)
            : null;
        return new(true, AdminCodes.LoginSuspended, $"{DisplayText.Sanitize(suspension.Login)} is suspended: it can log in but cannot send until "
            + (suspension.Until is { } until ? $"{until.UtcDateTime:yyyy-MM-dd HH:mm}Z" : "resumed")
            + (held is null ? "" : $"; {held.Messages} message{(held.Messages == 1 ? "" : "s")} held"));
    }

    private async ValueTask<AdminAnswer> ResumeAsync(UserName name, AdminCall call)
    {
        var cancel = call.Cancel;
        var login = await LoginNaming.OfAsync(services, name.Login, cancel);
        var typed = Credentials.PrepareLogin(name.Login) ?? name.Login;
        login = services.Books.Suspensions is var book && book.Find(login) is null && book.Find(typed) is not null ? typed : login;
        var suspended = await services.Books.Suspensions.ResumeAsync(login, cancel);
        var tripped = services.Breaker.Resume(login, false);
        if (!suspended && !tripped)
        {
            return new(false, AdminCodes.LoginNotStopped, $"{DisplayText.Sanitize(login)} is neither suspended nor stopped by the breaker");
        }

        services.Log.Write(new MailEvent.LoginResumed(login));
        var held = (await services.Store.Spool.HeldAsync(login, 100, cancel)).Sum(group => group.Messages);
        return new(true, held == 0 ? AdminCodes.LoginResumed : AdminCodes.LoginResumedMailHeld,
            $"{DisplayText.Sanitize(login)} may send again" + (held == 0 ? "" : $"; {held} message{(held == 1 ? " is" : "s are")} still held"));
    }

    private async ValueTask<LoginView> ShowAsync(UserName name, AdminCall call)
    {
        var cancel = call.Cancel;
        var login = await LoginNaming.OfAsync(services, name.Login, cancel);
        var verdict = await services.Site.Current.Identity.FindGrantAsync(login, cancel);
        var groups = verdict is LoginVerdict.Granted { Grant: var grant } ? grant.Groups : [];
        var state = services.Breaker.StateOf(login, groups);
        var suspension = services.Books.Suspensions.Find(login);
        return new(state.Login,
            suspension is not null ? "suspended" : state.Trip is not null ? "stopped" : state.Signs.Length == 0 ? "exempt" : "free",
            suspension?.Why ?? state.Trip?.Reason, state.Usual.Days, View(state.Usual.PeakHour), View(state.Usual.PeakDay), View(state.Hour),
            View(state.Day), state.Networks, state.TrustedUntil,
            [.. state.Signs.Select(sign => new SignView(sign.Name, sign.Count, sign.Allowed, sign.Usual))],
            (await services.Store.Spool.HeldAsync(state.Login, 100, cancel)).Sum(group => group.Messages));
    }

    private static AmountView View(SendingAmount amount) => new(amount.Messages, amount.Recipients, amount.FirstTimeRecipients);

    private static SuspensionView View(Suspension suspension) =>
        new(suspension.Login, "suspended", suspension.Since, suspension.Until, suspension.Why);
}
