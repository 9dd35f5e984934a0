using System.Collections.Concurrent;
using Sallyport.Mail.Sasl;

namespace Sallyport.Store.Memory;

/// <summary>The twin of the durable stores: the same behaviour, gone with the process. For tests and simulations.</summary>
public sealed class MemoryStore(TimeProvider time) : IStore
{
    private readonly MemorySpool _spool = new();

    public MemoryStore()
        : this(TimeProvider.System)
    {
    }

    public MemoryFaults Faults => _spool.Faults;

    public ISpool Spool => _spool;

    public IAccounts Accounts { get; } = new MemoryAccounts();

    public ISettings Settings { get; } = new MemorySettings();

    public IFacts Facts { get; } = new MemoryFacts(time);

    public ValueTask DisposeAsync() => _spool.DisposeAsync();

    private sealed class MemoryAccounts : IAccounts
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

    private sealed class MemorySettings : ISettings
    {
        private readonly ConcurrentDictionary<string, byte[]> _values = new(StringComparer.Ordinal);

        public ValueTask<byte[]?> GetAsync(string name, CancellationToken cancel) => ValueTask.FromResult(_values.GetValueOrDefault(name));

        public ValueTask SetAsync(string name, ReadOnlyMemory<byte> value, CancellationToken cancel)
        {
            _values[name] = value.ToArray();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>What a test makes go wrong.</summary>
public sealed class MemoryFaults
{
    /// <summary>The next commit fails for good, as a failed flush does.</summary>
    public bool FailNextCommit { get; set; }

    public bool DiskLow { get; set; }

    /// <summary>Body octets wait for this before they are taken.</summary>
    public Task WriteGate { get; set; } = Task.CompletedTask;

    /// <summary>A commit waits for this before it is done.</summary>
    public Task CommitGate { get; set; } = Task.CompletedTask;
}
