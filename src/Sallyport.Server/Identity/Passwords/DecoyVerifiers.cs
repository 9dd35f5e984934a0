using System.Security.Cryptography;
using System.Text;
using Sallyport.Mail.Sasl;
using Sallyport.Store;

namespace Sallyport.Server.Identity.Passwords;

/// <summary>
/// Verifiers for logins nobody knows, the same at each try and after each restart, so that SCRAM's salt does not tell who exists
/// (RFC 5802 §9). No password fits them.
/// </summary>
public sealed class DecoyVerifiers
{
    private const string SettingName = "made-up-salt-key";
    private readonly byte[] _key;

    private DecoyVerifiers(byte[] key) => _key = key;

    public static async ValueTask<DecoyVerifiers> LoadAsync(ISettings settings, CancellationToken cancel)
    {
        var key = await settings.GetAsync(SettingName, cancel);
        if (key is null)
        {
            key = RandomNumberGenerator.GetBytes(32);
            await settings.SetAsync(SettingName, key, cancel);
        }

        return new DecoyVerifiers(key);
    }

    public ScramVerifier For(string login)
    {
        var octets = HMACSHA512.HashData(_key, Encoding.UTF8.GetBytes(login));
        var serverKey = HMACSHA256.HashData(_key, octets);
        return new ScramVerifier(PasswordHasher.Iterations, octets.AsMemory(0, 16), octets.AsMemory(16, 32), serverKey);
    }
}
