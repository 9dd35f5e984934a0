using Sallyport.Mail.Sasl;

namespace Sallyport.Store.Sqlite;

internal sealed class SqliteAccounts(GroupWriter writer, Readers readers) : IAccounts
{
    private const string Columns = "login, iterations, salt, stored_key, server_key, addresses, disabled, created_at";

    public ValueTask<Account?> FindAsync(string login, CancellationToken cancel) => readers.ReadAsync(
        statements =>
        {
            using var row = statements.Query($"SELECT {Columns} FROM account WHERE login = $1", Key(login));
            return row.Read() ? Rows.ReadAccount(row) : null;
        },
        cancel);

    public ValueTask<IReadOnlyList<Account>> ListAsync(CancellationToken cancel) => readers.ReadAsync<IReadOnlyList<Account>>(
        statements =>
        {
            var accounts = new List<Account>();
            using var row = statements.Query($"SELECT {Columns} FROM account ORDER BY login");
            while (row.Read())
            {
                accounts.Add(Rows.ReadAccount(row));
            }

            return accounts;
        },
        cancel);

    public async ValueTask<bool> AddAsync(Account account, CancellationToken cancel) =>
        await writer.Enqueue(statements => Write(statements, "INSERT OR IGNORE", account)) > 0;

    public async ValueTask<bool> UpdateAsync(Account account, CancellationToken cancel) => await writer.Enqueue(statements =>
        statements.Scalar("SELECT 1 FROM account WHERE login = $1", Key(account.Login)) is not null
        && Write(statements, "REPLACE", account) > 0);

    public async ValueTask<bool> RemoveAsync(string login, CancellationToken cancel) =>
        await writer.Enqueue(statements => statements.Run("DELETE FROM account WHERE login = $1", Key(login))) > 0;

    private static string Key(string login) => Credentials.PrepareLogin(login) ?? "";

    private static int Write(Statements statements, string how, Account account) => statements.Run(
        $"{how} INTO account ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        Key(account.Login),
        account.Verifier.Iterations,
        account.Verifier.Salt.ToArray(),
        account.Verifier.StoredKey.ToArray(),
        account.Verifier.ServerKey.ToArray(),
        string.Join('\n', account.Addresses),
        account.Disabled,
        Rows.ToMicroseconds(account.CreatedAt));
}

internal sealed class SqliteSettings(GroupWriter writer, Readers readers) : ISettings
{
    public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancel) =>
        readers.ReadAsync(statements => statements.Scalar("SELECT value FROM setting WHERE name = $1", name) as byte[], cancel);

    public async ValueTask SetAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel) => await writer.Enqueue(
        statements => statements.Run("REPLACE INTO setting (name, value) VALUES ($1, $2)", name, value.ToArray()));
}
