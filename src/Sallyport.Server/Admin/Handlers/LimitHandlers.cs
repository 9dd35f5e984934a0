using System.Collections.Immutable;
using System.Text.Json;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Sending;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class LimitHandlers(AdminServices services)
{
    private const int ListedMax = 50;

    public void Register(AdminDispatcher handlers)
    {
        handlers.On(LimitOperations.Show, ShowAsync);
        handlers.On(LimitOperations.List, (_, _) => ValueTask.FromResult<BusyView[]>(
            [.. services.Sending.Busiest(ListedMax).Select(one => View(one.Subject, one.Activity))]));
        handlers.On(LimitOperations.Reset, ResetAsync);
    }

    /// <summary>Reserves one message to this recipient, as a session would, and gives it back.</summary>
    public static async ValueTask<ExplainedStep> ExplainAsync(AdminServices services, Grant grant, string to)
    {
        var sender = SendingLogin.Of(grant, services.Site.Options.Quotas);
        if (sender.Quotas.IsEmpty)
        {
            return new("limits", "ok", "no [[quota]] is for this login");
        }

        await services.Sending.LoadContactsAsync(grant.Login);
        var now = services.Time.GetUtcNow();
        if (services.Sending.TryBegin(sender, 0, out var transaction) is { } full)
        {
            return new("limits", "refused", LimitReplies.ForMessage(full, now).ToString());
        }

        var reached = MailboxParser.TryParse(to, out var mailbox) ? transaction!.AddRecipient(mailbox!) : null;
        transaction!.Release();
        return reached is null
            ? new("limits", "ok", $"{string.Join(" and ", sender.Quotas.Select(applied => applied.Quota))} "
                + (sender.Quotas.Length == 1 ? "leaves" : "leave") + " room for one more")
            : new("limits", "refused", LimitReplies.ForRecipient(reached, now).ToString());
    }

    private async ValueTask<LimitsOfSubject> ShowAsync(LimitSubject asked, AdminCall call)
    {
        if (SubjectOf(asked) is not { } subject)
        {
            return new(asked.Name, Mistake(asked), [], [], null, null);
        }

        var quotas = services.Site.Options.Quotas;
        string? problem = null;
        var applying = quotas.Where(quota => quota.Shared && quota.SubjectFor("") == subject).Select(quota => new AppliedQuota(subject, quota))
            .ToImmutableArray();
        if (SendingSubject.LoginOf(subject) is { } login)
        {
            var verdict = await services.Site.Current.Identity.FindGrantAsync(login, call.Cancel);
            var grant = (verdict as LoginVerdict.Granted)?.Grant;
            problem = grant is null ? verdict.Why : null;
            login = grant?.Login ?? login;
            subject = SendingSubject.OfLogin(login);
            applying = QuotaPolicy.Applying(quotas, login, grant?.Groups ?? []);
            await services.Sending.LoadContactsAsync(login);
        }

        var activity = SendingSubject.LoginOf(subject) is { } own ? services.Sending.ActivityOf(own) : null;
        return new(subject, problem, [.. applying.Select(applied => applied.Quota.ToString())],
            [.. services.Sending.UsesOf(subject, applying).Select(View)], activity?.Networks, activity?.Contacts);
    }

    private async ValueTask<AdminAnswer> ResetAsync(LimitSubject asked, AdminCall call)
    {
        if (SubjectOf(asked) is not { } subject)
        {
            return new(false, AdminCodes.InvalidSubject, Mistake(asked));
        }

        subject = SendingSubject.LoginOf(subject) is { } login
            ? SendingSubject.OfLogin(await LoginNaming.OfAsync(services, login, call.Cancel)) : subject;
        services.Sending.Reset(subject);
        await services.Books.State.FlushAsync();
        return new(true, AdminCodes.LimitsReset, $"the counts of {SendingSubject.Words(subject)} are reset");
    }

    private static string? SubjectOf(LimitSubject asked) => asked.Kind switch
    {
        "site" => SendingSubject.Site,
        "group" when asked.Name.Length > 0 => SendingSubject.OfGroup(asked.Name),
        "login" when Credentials.PrepareLogin(asked.Name) is { } login => SendingSubject.OfLogin(login),
        _ => null,
    };

    private static string Mistake(LimitSubject asked) => $"\"{DisplayText.Sanitize(asked.Name)}\" is not a valid login or group";

    private static LimitView View(LimitUse use) => new(use.Subject, Name(use.Measure), Name(use.Window), use.Used, use.Allowed, use.FreeAt);

    private static BusyView View(string subject, SendingActivity activity) => new(
        subject, activity.Minute.Messages, activity.Hour.Messages, activity.Day.Messages, activity.Day.Recipients,
        activity.Day.FirstTimeRecipients, activity.Day.Bytes, activity.Day.Connections, activity.UnderWay.Connections);

    private static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
