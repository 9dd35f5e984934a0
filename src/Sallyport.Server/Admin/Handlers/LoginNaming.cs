using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Admin.Handlers;

/// <summary>An operator names a login as its user would; what is kept of it has the name its directory gives it.</summary>
internal static class LoginNaming
{
    /// <summary>The name in spool and counters; as typed, prepared, where no directory can say now.</summary>
    public static async ValueTask<string> OfAsync(AdminServices services, string typed, CancellationToken cancel) =>
        Credentials.PrepareLogin(typed) is not { } prepared ? typed
        : await services.Site.Current.Identity.AppPasswords.FindAsync(prepared, cancel) is LoginVerdict.Granted { Entry.Login: var name }
            ? name
            : prepared;
}
