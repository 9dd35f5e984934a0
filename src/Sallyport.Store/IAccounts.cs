using System.Collections.Immutable;
using Sallyport.Mail.Sasl;

namespace Sallyport.Store;

/// <summary>Local accounts. Logins are compared in their prepared, lower-case form; two that prepare to the same are one.</summary>
public interface IAccounts
{
    ValueTask<Account?> FindAsync(string login, CancellationToken cancel);

    ValueTask<IReadOnlyList<Account>> ListAsync(CancellationToken cancel);

    /// <summary>False when the login exists already.</summary>
    ValueTask<bool> AddAsync(Account account, CancellationToken cancel);

    /// <summary>Changes the verifier and nothing else. False when the login is unknown.</summary>
    ValueTask<bool> SetVerifierAsync(string login, ScramVerifier verifier, CancellationToken cancel);

    /// <summary>Disables or enables and changes nothing else. False when the login is unknown.</summary>
    ValueTask<bool> SetDisabledAsync(string login, bool disabled, CancellationToken cancel);

    /// <summary>
    /// Takes addresses away and adds others, in one step with what others change meanwhile; compared without regard to case. Returns
    /// the account as it is then, or null when the login is unknown.
    /// </summary>
    ValueTask<Account?> ChangeAddressesAsync(string login, IReadOnlyList<string> add, IReadOnlyList<string> remove, CancellationToken cancel);

    ValueTask<bool> RemoveAsync(string login, CancellationToken cancel);
}

/// <param name="Addresses">Addresses granted besides the login itself, which counts when it is an address.</param>
public sealed record Account(
    string Login,
    ScramVerifier Verifier,
    ImmutableArray<string> Addresses,
    bool Disabled,
    DateTimeOffset CreatedAt)
{
    /// <summary>The addresses after a change.</summary>
    internal ImmutableArray<string> Changed(IReadOnlyList<string> add, IReadOnlyList<string> remove) =>
    [
        .. Addresses.Where(address => !remove.Contains(address, StringComparer.OrdinalIgnoreCase)).Concat(add)
            .Distinct(StringComparer.OrdinalIgnoreCase),
    ];
}

/// <summary>All that must survive a restart, opened together.</summary>
public interface IStore : IAsyncDisposable
{
    ISpool Spool { get; }

    /// <summary>What is kept for one site. A name that is new is a new site once something is written for it.</summary>
    /// <param name="name">1 to 255 characters, compared byte by byte.</param>
    ISiteStore Site(string name);

    /// <summary>Those of the site "default".</summary>
    IAccounts Accounts { get; }
}
