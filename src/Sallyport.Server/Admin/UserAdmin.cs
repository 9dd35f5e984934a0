using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Identity;
using Sallyport.Store;

namespace Sallyport.Server.Admin;

internal sealed class UserAdmin(AdminServices services)
{
    private IAccounts Accounts => services.Store.Accounts;

    public void Register(AdminHandlers handlers)
    {
        handlers.On(UserOperations.List, async (_, cancel) => (UserView[])[.. (await Accounts.ListAsync(cancel)).Select(View)]);
        handlers.On(UserOperations.Add, AddAsync);
        handlers.On(UserOperations.Remove, async (user, cancel) =>
            await Accounts.RemoveAsync(user.Login, cancel) ? new(true, $"{user.Login} removed") : Unknown(user.Login));
        handlers.On(UserOperations.SetPassword, (change, cancel) => UpdateAsync(
            change.Login, account => account with { Verifier = change.Verifier.ToVerifier() }, "has a new password", cancel));
        handlers.On(UserOperations.Disable, (user, cancel) => UpdateAsync(
            user.Login, account => account with { Disabled = true }, "is disabled: its next login is refused", cancel));
        handlers.On(UserOperations.Enable, (user, cancel) => UpdateAsync(
            user.Login, account => account with { Disabled = false }, "is enabled", cancel));
    }

    private async ValueTask<AdminAnswer> AddAsync(NewUser user, CancellationToken cancel)
    {
        var mistakes = user.Addresses.Select(UserRules.AddressMistake).Prepend(UserRules.LoginMistake(user.Login));
        if (mistakes.FirstOrDefault(mistake => mistake is not null) is { } wrong)
        {
            return new(false, wrong);
        }

        var login = Credentials.PrepareLogin(user.Login)!;

        var account = new Account(login, user.Verifier.ToVerifier(), [.. user.Addresses], false, services.Time.GetUtcNow());
        if (!await Accounts.AddAsync(account, cancel))
        {
            return new(false, $"{login} exists already; `sallyport user passwd` sets a password");
        }

        var addresses = LocalDirectory.AddressesOf(account);
        return new(true, addresses.IsEmpty
            ? $"{login} added; it may log in but send as nobody: it is no address itself, and no --address was given"
            : $"{login} added; it may send as {string.Join(", ", addresses)}");
    }

    private async ValueTask<AdminAnswer> UpdateAsync(string login, Func<Account, Account> change, string done, CancellationToken cancel) =>
        await Accounts.FindAsync(login, cancel) is { } account && await Accounts.UpdateAsync(change(account), cancel)
            ? new(true, $"{account.Login} {done}")
            : Unknown(login);

    private static AdminAnswer Unknown(string login) => new(false, $"there is no local account {Replies.Printable(login)}");

    private static UserView View(Account account) =>
        new(account.Login, [.. LocalDirectory.AddressesOf(account)], account.Disabled, account.CreatedAt);
}
