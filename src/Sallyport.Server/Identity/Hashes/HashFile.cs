using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity.Hashes;

/// <summary>A line of a hash file.</summary>
/// <param name="Name">Digest of the stored text: changes when the password is set anew at its source.</param>
internal sealed record HashedAccount(
    string Login, PasswordHash Hash, ReadOnlyMemory<byte> Name, ImmutableArray<string> Addresses, ImmutableArray<string> Groups);

/// <summary>
/// login:hash[:addresses[:groups]], addresses and groups separated by commas; # begins a comment. A line that cannot be used is left
/// out and named; the others serve.
/// </summary>
internal sealed record HashFile(FrozenDictionary<string, HashedAccount> Accounts, ImmutableArray<string> Mistakes)
{
    public static HashFile Parse(IEnumerable<string> lines)
    {
        var accounts = new Dictionary<string, HashedAccount>(StringComparer.Ordinal);
        var mistakes = ImmutableArray.CreateBuilder<string>();
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (line.AsSpan().Trim().IsEmpty || line[0] == '#')
            {
                continue;
            }

            var (account, mistake) = ParseLine(line);
            if (account is null || !accounts.TryAdd(account.Login, account))
            {
                mistakes.Add($"line {number}: {mistake ?? "this login is there already"}");
            }
        }

        return new HashFile(accounts.ToFrozenDictionary(), mistakes.ToImmutable());
    }

    private static (HashedAccount? Account, string? Mistake) ParseLine(string line)
    {
        var parts = line.Split(':');
        if (parts.Length is < 2 or > 4)
        {
            return (null, "is not login:hash:addresses:groups");
        }

        if (Credentials.PrepareLogin(parts[0]) is not { } login)
        {
            return (null, "the login cannot be one");
        }

        if (PasswordHash.Parse(parts[1]) is not { } hash)
        {
            return (null, $"the password of {login} is in no form this server knows");
        }

        var addresses = Items(parts, 2).Select(text => (text, ok: MailboxParser.TryParse(text, out var mailbox), mailbox)).ToList();
        return addresses.FirstOrDefault(address => !address.ok) is { text: { } wrong }
            ? (null, $"\"{wrong}\" of {login} is not a mail address")
            : (new HashedAccount(
                login, hash, SHA256.HashData(Encoding.UTF8.GetBytes(parts[1])),
                [.. addresses.Select(address => address.mailbox!.Canonical).Concat(OwnAddress(login)).Distinct(StringComparer.Ordinal)],
                [.. Items(parts, 3)]), null);
    }

    private static IEnumerable<string> OwnAddress(string login) => MailboxParser.TryParse(login, out var mailbox) ? [mailbox!.Canonical] : [];

    private static string[] Items(string[] parts, int at) => parts.Length > at
        ? parts[at].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];
}
