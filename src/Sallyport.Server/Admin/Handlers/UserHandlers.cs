using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Identity;
using Sallyport.Store;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class UserHandlers(AdminServices services)
{
    private IAccounts Accounts => services.Store.Accounts;

    public void Register(AdminHandlers handlers)
    {
        handlers.On(UserOperations.List, async (_, cancel) => (UserView[])[.. (await Accounts.ListAsync(cancel)).Select(View)]);
        handlers.On(UserOperations.Add, AddAsync);
        handlers.On(UserOperations.Salt, (user, _) => ValueTask.FromResult(
            services.Books.AppPasswords.Of(Credentials.PrepareLogin(user.Login) ?? "").SelectMany(one => one.Verifiers).FirstOrDefault() is { } with
                ? new SaltView(with.Iterations, with.Salt.ToArray()) : new SaltView(null, null)));
        handlers.On(UserOperations.Remove, RemoveAsync);
        handlers.On(UserOperations.SetPassword, async (change, cancel) => change.Verifier.FindMistake() is { } mistake
            ? new(false, mistake)
            : await Accounts.SetVerifierAsync(change.Login, change.Verifier.ToVerifier(), cancel)
                ? Forgiven(change.Login, new(true, $"{Shown(change.Login)} has a new password"))
                : Unknown(change.Login));
        handlers.On(UserOperations.ChangeAddresses, ChangeAddressesAsync);
        handlers.On(UserOperations.Disable, async (user, cancel) => await Accounts.SetDisabledAsync(user.Login, true, cancel)
            ? new(true, $"{Shown(user.Login)} is disabled: its next login is refused, and its next message in a session under way")
            : Unknown(user.Login));
        handlers.On(UserOperations.Enable, async (user, cancel) => await Accounts.SetDisabledAsync(user.Login, false, cancel)
            ? new(true, $"{Shown(user.Login)} is enabled")
            : Unknown(user.Login));
    }

    /// <summary>What was tried in vain before must not stand against a login that is new, or has a new password.</summary>
    private AdminAnswer Forgiven(string login, AdminAnswer answer)
    {
        services.Books.Forget(Credentials.PrepareLogin(login) ?? "");
        return answer;
    }

    /// <summary>Whoever gets the name next does not get the devices of who had it.</summary>
    private async ValueTask<AdminAnswer> RemoveAsync(UserName user, CancellationToken cancel)
    {
        if (!await Accounts.RemoveAsync(user.Login, cancel))
        {
            return Unknown(user.Login);
        }

        var revoked = await services.Books.AppPasswords.RevokeAsync(Credentials.PrepareLogin(user.Login) ?? "", null, cancel);
        return new(true, $"{Shown(user.Login)} removed" + (revoked.IsEmpty ? "" : "; its app passwords are revoked"));
    }

    private async ValueTask<AdminAnswer> AddAsync(NewUser user, CancellationToken cancel)
    {
        var mistakes = user.Addresses.Select(UserRules.AddressMistake).Prepend(UserRules.LoginMistake(user.Login));
        if (mistakes.FirstOrDefault(mistake => mistake is not null) is { } wrong)
        {
            return new(false, wrong);
        }

        var login = Credentials.PrepareLogin(user.Login)!;

        if (user.Verifier.FindMistake() is { } mistake)
        {
            return new(false, mistake);
        }

        var account = new Account(login, user.Verifier.ToVerifier(), [.. user.Addresses], false, services.Time.GetUtcNow());
        if (!await Accounts.AddAsync(account, cancel))
        {
            return new(false, $"{login} exists already; `sallyport user passwd` sets a password");
        }

        services.Books.Forget(login);
        var addresses = LocalDirectory.AddressesOf(account);
        return new(true, addresses.IsEmpty
            ? $"{login} added; it may log in but send as nobody: it is no address itself, and no --address was given"
            : $"{login} added; it may send as {string.Join(", ", addresses)}");
    }

    private async ValueTask<AdminAnswer> ChangeAddressesAsync(AddressChange change, CancellationToken cancel)
    {
        if (change.Add.Concat(change.Remove).Select(UserRules.AddressMistake).FirstOrDefault(mistake => mistake is not null) is { } wrong)
        {
            return new(false, wrong);
        }

        if (await Accounts.FindAsync(change.Login, cancel) is not { } account)
        {
            return Unknown(change.Login);
        }

        var taken = change.Remove.Select(Canonical).ToList();
        if (taken.Contains(Canonical(account.Login)))
        {
            return new(false, $"{account.Login} may always send as itself; `sallyport user disable` stops it");
        }

        var stored = account.Addresses.Where(address => taken.Contains(Canonical(address))).ToList();
        if (change.Remove.FirstOrDefault(address => !stored.Exists(one => Canonical(one) == Canonical(address))) is { } unknown)
        {
            return new(false, $"{DisplayText.Sanitize(unknown)} was not granted to {account.Login}");
        }

        return await Accounts.ChangeAddressesAsync(account.Login, [.. change.Add.Select(Canonical)], stored, cancel) is { } changed
            ? new(true, LocalDirectory.AddressesOf(changed) is { IsEmpty: false } addresses
                ? $"{changed.Login} may send as {string.Join(", ", addresses)}"
                : $"{changed.Login} may send as nobody")
            : Unknown(change.Login);
    }

    /// <summary>What addresses are compared in; a text that is none stays as it is.</summary>
    private static string Canonical(string address) => MailboxParser.TryParse(address, out var mailbox) ? mailbox!.Canonical : address;

    private static string Shown(string login) => DisplayText.Sanitize(Credentials.PrepareLogin(login) ?? login);

    private static AdminAnswer Unknown(string login) => new(false, $"there is no local account {DisplayText.Sanitize(login)}");

    private static UserView View(Account account) =>
        new(account.Login, [.. LocalDirectory.AddressesOf(account)], account.Disabled, account.CreatedAt);
}
