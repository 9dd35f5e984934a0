using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity.Directories.Local;
using Sallyport.Store;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class UserHandlers(AdminServices services)
{
    private IAccounts Accounts => services.Store.Accounts;

    public void Register(AdminDispatcher handlers)
    {
        handlers.On(UserOperations.List, async (query, call) => AdminPaging.Cut(
            (await Accounts.ListAsync(call.Cancel)).Select(View), user => user.Login, query.Limit, query.After));
        handlers.On(UserOperations.Add, AddAsync);
        handlers.On(UserOperations.Salt, (user, _) => ValueTask.FromResult(
            services.Books.AppPasswords.Of(Credentials.PrepareLogin(user.Login) ?? "").SelectMany(one => one.Verifiers).FirstOrDefault() is { } with
                ? new SaltView(with.Iterations, with.Salt.ToArray()) : new SaltView(null, null)));
        handlers.On(UserOperations.Remove, RemoveAsync);
        handlers.On(UserOperations.SetPassword, async (change, call) => change.Verifier.FindMistake() is { } mistake
            ? new(false, AdminCodes.InvalidVerifier, mistake)
            : await Accounts.SetVerifierAsync(change.Login, change.Verifier.ToVerifier(), call.Cancel)
                ? Forgiven(change.Login, new(true, AdminCodes.PasswordSet, $"{Shown(change.Login)} has a new password"))
                : Unknown(change.Login));
        handlers.On(UserOperations.ChangeAddresses, ChangeAddressesAsync);
        handlers.On(UserOperations.Disable, async (user, call) => await Accounts.SetDisabledAsync(user.Login, true, call.Cancel)
            ? new(true, AdminCodes.UserDisabled,
                $"{Shown(user.Login)} is disabled. New logins and the next message in any open session are refused")
            : Unknown(user.Login));
        handlers.On(UserOperations.Enable, async (user, call) => await Accounts.SetDisabledAsync(user.Login, false, call.Cancel)
            ? new(true, AdminCodes.UserEnabled, $"{Shown(user.Login)} is enabled")
            : Unknown(user.Login));
    }

    /// <summary>What was tried in vain before must not stand against a login that is new, or has a new password.</summary>
    private AdminAnswer Forgiven(string login, AdminAnswer answer)
    {
        services.Books.Forget(Credentials.PrepareLogin(login) ?? "");
        return answer;
    }

    /// <summary>Whoever gets the name next does not get the devices of who had it.</summary>
    private async ValueTask<AdminAnswer> RemoveAsync(UserName user, AdminCall call)
    {
        if (!await Accounts.RemoveAsync(user.Login, call.Cancel))
        {
            return Unknown(user.Login);
        }

        var revoked = await services.Books.AppPasswords.RevokeAsync(Credentials.PrepareLogin(user.Login) ?? "", null, call.Cancel);
        return new(true, AdminCodes.UserRemoved, $"{Shown(user.Login)} removed" + (revoked.IsEmpty ? "" : "; its app passwords are revoked"));
    }

    private async ValueTask<AdminAnswer> AddAsync(NewUser user, AdminCall call)
    {
        if (UserRules.LoginMistake(user.Login) is { } noLogin)
        {
            return new(false, AdminCodes.InvalidLogin, noLogin);
        }

        if (AddressMistake(user.Addresses) is { } noAddress)
        {
            return noAddress;
        }

        var login = Credentials.PrepareLogin(user.Login)!;

        if (user.Verifier.FindMistake() is { } mistake)
        {
            return new(false, AdminCodes.InvalidVerifier, mistake);
        }

        var account = new Account(login, user.Verifier.ToVerifier(), [.. user.Addresses], false, services.Time.GetUtcNow());
        if (!await Accounts.AddAsync(account, call.Cancel))
        {
            return new(false, AdminCodes.UserExists, $"{login} exists already");
        }

        services.Books.Forget(login);
        var addresses = LocalDirectory.AddressesOf(account);
        return new(true, addresses.IsEmpty ? AdminCodes.UserAddedWithoutAddress : AdminCodes.UserAdded, addresses.IsEmpty
            ? $"{login} added. It can log in but cannot send yet: it has no address"
            : $"{login} added; it may send as {string.Join(", ", addresses)}");
    }

    private async ValueTask<AdminAnswer> ChangeAddressesAsync(AddressChange change, AdminCall call)
    {
        if (AddressMistake([.. change.Add, .. change.Remove]) is { } wrong)
        {
            return wrong;
        }

        if (await Accounts.FindAsync(change.Login, call.Cancel) is not { } account)
        {
            return Unknown(change.Login);
        }

        var taken = change.Remove.Select(Canonical).ToList();
        if (taken.Contains(Canonical(account.Login)))
        {
            return new(false, AdminCodes.AddressIsLogin, $"{account.Login} may always send as itself");
        }

        var stored = account.Addresses.Where(address => taken.Contains(Canonical(address))).ToList();
        if (change.Remove.FirstOrDefault(address => !stored.Exists(one => Canonical(one) == Canonical(address))) is { } unknown)
        {
            return new(false, AdminCodes.AddressNotGranted, $"{DisplayText.Sanitize(unknown)} was not granted to {account.Login}");
        }

        return await Accounts.ChangeAddressesAsync(account.Login, [.. change.Add.Select(Canonical)], stored, call.Cancel) is { } changed
            ? new(true, AdminCodes.AddressesChanged, LocalDirectory.AddressesOf(changed) is { IsEmpty: false } addresses
                ? $"{changed.Login} may send as {string.Join(", ", addresses)}"
                : $"{changed.Login} has no address and cannot send")
            : Unknown(change.Login);
    }

    /// <summary>What addresses are compared in; a text that is none stays as it is.</summary>
    private static string Canonical(string address) => MailboxParser.TryParse(address, out var mailbox) ? mailbox!.Canonical : address;

    private static AdminAnswer? AddressMistake(IEnumerable<string> addresses)
    {
        foreach (var address in addresses)
        {
            if (UserRules.AddressMistake(address) is { } mistake)
            {
                return new(false, UserRules.IsPattern(address) ? AdminCodes.InvalidPattern : AdminCodes.InvalidAddress, mistake);
            }
        }

        return null;
    }

    private static string Shown(string login) => DisplayText.Sanitize(Credentials.PrepareLogin(login) ?? login);

    private static AdminAnswer Unknown(string login) =>
        new(false, AdminCodes.UserUnknown, $"there is no local account {DisplayText.Sanitize(login)}");

    private static UserView View(Account account) =>
        new(account.Login, [.. LocalDirectory.AddressesOf(account)], account.Disabled, account.CreatedAt);
}
