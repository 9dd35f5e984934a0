using System.Security.Cryptography;
using System.Text;
using Sallyport.Mail.Sasl;
using Sallyport.Server.State;

namespace Sallyport.Server.Identity.Passwords;

/// <summary>
/// Verifiers for logins nobody knows, the same at each try and after each restart, so that SCRAM's salt does not tell who exists
/// (RFC 5802 §9). No password fits them.
/// </summary>
public sealed class DecoyVerifiers
{
    private readonly ReadOnlyMemory<byte> _key;

    public DecoyVerifiers(SiteKeys keys) => _key = keys.DecoySalt;

    public ScramVerifier For(string login)
    {
        var octets = HMACSHA512.HashData(_key.Span, Encoding.UTF8.GetBytes(login));
        var serverKey = HMACSHA256.HashData(_key.Span, octets);
        return new ScramVerifier(PasswordHasher.Iterations, octets.AsMemory(0, 16), octets.AsMemory(16, 32), serverKey);
    }
}
