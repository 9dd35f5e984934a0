using System.Collections.Concurrent;
using Sallyport.Mail.Sasl;

namespace Sallyport.Store.Memory;

internal sealed class MemoryAccounts : IAccounts
{
    private readonly ConcurrentDictionary<string, Account> _accounts = new(StringComparer.Ordinal);

    public ValueTask<Account?> FindAsync(string login, CancellationToken cancel) => ValueTask.FromResult(_accounts.GetValueOrDefault(Key(login)));

    public ValueTask<IReadOnlyList<Account>> ListAsync(CancellationToken cancel) =>
        ValueTask.FromResult<IReadOnlyList<Account>>([.. _accounts.Values.OrderBy(account => account.Login, StringComparer.Ordinal)]);

    public ValueTask<bool> AddAsync(Account account, CancellationToken cancel) =>
        ValueTask.FromResult(_accounts.TryAdd(Key(account.Login), account with { Login = Key(account.Login) }));

    public ValueTask<bool> SetVerifierAsync(string login, ScramVerifier verifier, CancellationToken cancel) =>
        ValueTask.FromResult(Change(login, account => account with { Verifier = verifier }) is not null);

    public ValueTask<bool> SetDisabledAsync(string login, bool disabled, CancellationToken cancel) =>
        ValueTask.FromResult(Change(login, account => account with { Disabled = disabled }) is not null);

    public ValueTask<Account?> ChangeAddressesAsync(
        string login, IReadOnlyList<string> add, IReadOnlyList<string> remove, CancellationToken cancel) =>
        ValueTask.FromResult(Change(login, account => account with { Addresses = account.Changed(add, remove) }));

    public ValueTask<bool> RemoveAsync(string login, CancellationToken cancel) =>
        ValueTask.FromResult(_accounts.TryRemove(Key(login), out _));

    private Account? Change(string login, Func<Account, Account> change)
    {
        while (_accounts.TryGetValue(Key(login), out var old))
        {
            var changed = change(old);
            if (_accounts.TryUpdate(Key(login), changed, old))
            {
                return changed;
            }
        }

        return null;
    }

    private static string Key(string login) => Credentials.PrepareLogin(login) ?? "";
}
