using System.Security.Cryptography;
using Sallyport.Store;

namespace Sallyport.Server.State;

/// <summary>The secrets a site makes once: the same on every node and after every restart.</summary>
/// <param name="DecoySalt">Makes the verifiers of logins nobody knows.</param>
/// <param name="AppPasswords">Keys the digests of app passwords.</param>
/// <param name="Contacts">Keys the hashes of recipients.</param>
public sealed record SiteKeys(ReadOnlyMemory<byte> DecoySalt, ReadOnlyMemory<byte> AppPasswords, ReadOnlyMemory<byte> Contacts)
{
    // As they are stored.
    private const string DecoySaltName = "made-up-salt-key";
    private const string AppPasswordsName = "app-password-key";
    private const string ContactsName = "contact-key";

    /// <summary>SHA-256's block of the keyed digests.</summary>
    private const int DigestKeyBytes = 32;

    /// <summary>SipHash's.</summary>
    private const int ContactKeyBytes = 16;

    public static async ValueTask<SiteKeys> LoadAsync(ISiteKeys keys, CancellationToken cancel) => new(
        await GetAsync(keys, DecoySaltName, DigestKeyBytes, cancel),
        await GetAsync(keys, AppPasswordsName, DigestKeyBytes, cancel),
        await GetAsync(keys, ContactsName, ContactKeyBytes, cancel));

    /// <summary>Keys say nothing of themselves.</summary>
    public override string ToString() => "site keys";

    private static ValueTask<byte[]> GetAsync(ISiteKeys keys, string name, int bytes, CancellationToken cancel) =>
        keys.GetOrAddAsync(name, () => RandomNumberGenerator.GetBytes(bytes), cancel);
}
