using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Addressing;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Directories.Local;

/// <summary>The accounts in our own store.</summary>
public sealed class LocalDirectory(string name, DirectoryServices services) : IHashingDirectory, IVerifierDirectory
{
    private readonly IAccounts _accounts = services.Store.Accounts;

    public string Name => name;

    public bool HashesForUnknown { get; set; } = true;

    public ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel) =>
        CheckAsync(null, login, password, cancel);

    public ValueTask<LoginVerdict> CheckPasswordAsync(LoginAttempt attempt, string login, string password, CancellationToken cancel) =>
        CheckAsync(attempt.Network, login, password, cancel);

    public async ValueTask<LoginVerdict> FindVerifierAsync(string login, CancellationToken cancel) =>
        await _accounts.FindAsync(login, cancel) is { } account
            ? new LoginVerdict.Verifier(account.Verifier)
            : new LoginVerdict.Denied(LoginReason.UnknownLogin);

    public async ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) =>
        Answer(await _accounts.FindAsync(login, cancel));

    /// <summary>The login, when it is an address, and what was granted besides.</summary>
    public static ImmutableArray<string> AddressesOf(Account account) =>
    [
        .. account.Addresses.Prepend(account.Login)
            .Select(address => MailboxParser.TryParse(address, out var mailbox) ? mailbox!.Canonical : null)
            .OfType<string>().Distinct(StringComparer.Ordinal),
    ];

    private async ValueTask<LoginVerdict> CheckAsync(IPAddress? network, string login, string password, CancellationToken cancel)
    {
        var account = await _accounts.FindAsync(login, cancel);
        if (account is null && !HashesForUnknown)
        {
            return new LoginVerdict.Denied(LoginReason.UnknownLogin);
        }

        var verifier = account?.Verifier ?? services.Decoys.For(login);
        return await services.Hasher.CheckAsync(verifier, account is not null, login, password, network) switch
        {
            PasswordCheck.TooBusy => new LoginVerdict.Unavailable("too many logins are being checked at once"),
            PasswordCheck.Right => Answer(account),
            _ => new LoginVerdict.Denied(account is null ? LoginReason.UnknownLogin : LoginReason.WrongPassword),
        };
    }

    private LoginVerdict Answer(Account? account) => account switch
    {
        null => new LoginVerdict.Denied(LoginReason.UnknownLogin),
        { Disabled: true } => new LoginVerdict.Denied(LoginReason.Disabled),
        _ => new LoginVerdict.Granted(new DirectoryEntry(account.Login, Name, AddressesOf(account), [])),
    };
}
