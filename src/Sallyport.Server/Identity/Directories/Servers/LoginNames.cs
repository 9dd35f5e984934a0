using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>What a login of a server that only proves passwords may send as: by the login's own form and by configuration.</summary>
internal static class LoginNames
{
    /// <param name="login">As the server knows it, prepared.</param>
    public static DirectoryEntry ToEntry(string login, string directory, LoginAddressOptions options)
    {
        var at = login.LastIndexOf('@');
        var whole = at < 0 && options.Domain is not null ? $"{login}@{options.Domain}" : login;
        return new DirectoryEntry(whole, directory, AddressesOf(whole, options), []);
    }

    private static ImmutableArray<string> AddressesOf(string login, LoginAddressOptions options)
    {
        var at = login.LastIndexOf('@');
        var (local, domain) = at < 0 ? (login, "") : (login[..at], login[(at + 1)..]);
        var addresses = options.Templates
            .Where(template => at >= 0 || !template.Contains(LoginAddressOptions.DomainPlace, StringComparison.Ordinal))
            .Select(template => template
                .Replace(LoginAddressOptions.LoginPlace, login, StringComparison.Ordinal)
                .Replace(LoginAddressOptions.LocalPlace, local, StringComparison.Ordinal)
                .Replace(LoginAddressOptions.DomainPlace, domain, StringComparison.Ordinal));
        return
        [
            .. (options.LoginIsAddress ? addresses.Prepend(login) : addresses)
                .Select(address => MailboxParser.TryParse(address, out var mailbox) ? mailbox!.Canonical : null)
                .OfType<string>().Distinct(StringComparer.Ordinal),
        ];
    }
}
