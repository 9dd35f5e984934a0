using Sallyport.Mail.Sasl;

namespace Sallyport.Store.Sqlite;

internal sealed class SqliteAccounts(string site, GroupWriter writer, Readers readers) : IAccounts
{
    private const string Columns = "login, iterations, salt, stored_key, server_key, addresses, disabled, created_at";

    public ValueTask<Account?> FindAsync(string login, CancellationToken cancel) => readers.ReadAsync(statements => Find(statements, login), cancel);

    public ValueTask<IReadOnlyList<Account>> ListAsync(CancellationToken cancel) => readers.ReadAsync<IReadOnlyList<Account>>(
        statements =>
        {
            var accounts = new List<Account>();
            using var row = statements.Query($"SELECT {Columns} FROM account WHERE site = ?1 ORDER BY login", statements.FindSite(site));
            while (row.Read())
            {
                accounts.Add(Rows.ReadAccount(row));
            }

            return accounts;
        },
        cancel);

    public async ValueTask<bool> AddAsync(Account account, CancellationToken cancel) => await writer.Enqueue(statements => statements.Run(
        $"INSERT OR IGNORE INTO account ({Columns}, site) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        Key(account.Login),
        account.Verifier.Iterations,
        account.Verifier.Salt,
        account.Verifier.StoredKey,
        account.Verifier.ServerKey,
        string.Join('\n', account.Addresses),
        account.Disabled,
        Rows.ToMicroseconds(account.CreatedAt),
        statements.SiteNumber(site))) > 0;

    public async ValueTask<bool> SetVerifierAsync(string login, ScramVerifier verifier, CancellationToken cancel) =>
        await writer.Enqueue(statements => statements.Run(
            "UPDATE account SET iterations = ?2, salt = ?3, stored_key = ?4, server_key = ?5 WHERE login = ?1 AND site = ?6",
            Key(login), verifier.Iterations, verifier.Salt, verifier.StoredKey, verifier.ServerKey, statements.FindSite(site))) > 0;

    public async ValueTask<bool> SetDisabledAsync(string login, bool disabled, CancellationToken cancel) =>
        await writer.Enqueue(statements => statements.Run(
            "UPDATE account SET disabled = ?2 WHERE login = ?1 AND site = ?3", Key(login), disabled, statements.FindSite(site))) > 0;

    public async ValueTask<Account?> ChangeAddressesAsync(
        string login, IReadOnlyList<string> add, IReadOnlyList<string> remove, CancellationToken cancel) => await writer.Enqueue(statements =>
    {
        if (Find(statements, login) is not { } account)
        {
            return null;
        }

        var addresses = account.Changed(add, remove);
        statements.Run("UPDATE account SET addresses = ?2 WHERE login = ?1 AND site = ?3", Key(login), string.Join('\n', addresses),
            statements.FindSite(site));
        return account with { Addresses = addresses };
    });

    public async ValueTask<bool> RemoveAsync(string login, CancellationToken cancel) =>
        await writer.Enqueue(statements => statements.Run(
            "DELETE FROM account WHERE login = ?1 AND site = ?2", Key(login), statements.FindSite(site))) > 0;

    private static string Key(string login) => Credentials.PrepareLogin(login) ?? "";

    private Account? Find(Statements statements, string login)
    {
        using var row = statements.Query($"SELECT {Columns} FROM account WHERE site = ?1 AND login = ?2", statements.FindSite(site), Key(login));
        return row.Read() ? Rows.ReadAccount(row) : null;
    }
}
