using System.Security.Cryptography;
using System.Text;

namespace Sallyport.Server.Identity.Passwords;

/// <summary>What a fingerprint is for: those of one purpose say nothing to another.</summary>
public enum FingerprintPurpose
{
    /// <summary>The same guess made again, for the guard.</summary>
    Guess = 1,

    /// <summary>A guess against a stored password, on the hashing threads.</summary>
    Hash = 2,

    /// <summary>A success at a directory over a wire.</summary>
    Success = 3,

    /// <summary>The password of a login's last success, for an outage of its directory.</summary>
    Outage = 4,
}

/// <summary>
/// Names a secret so that it is known again while this process lives, and by nobody else: keyed digests whose key is drawn at start and
/// never stored. None of them may be persisted.
/// </summary>
public sealed class SecretFingerprint
{
    /// <summary>Of the digest's 32: half is as good for a name that only this process sees (RFC 2104 §5).</summary>
    private const int Octets = 16;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <param name="scope">What the secret is for: the stored password's own name, a directory, or nothing.</param>
    public string Of(FingerprintPurpose purpose, ReadOnlySpan<byte> scope, string login, string secret)
    {
        using var digest = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        digest.AppendData([(byte)purpose]);
        Append(digest, scope);
        Append(digest, Encoding.UTF8.GetBytes(login));
        Append(digest, Encoding.UTF8.GetBytes(secret));
        return Convert.ToBase64String(digest.GetHashAndReset().AsSpan(0, Octets));
    }

    public string Of(FingerprintPurpose purpose, string scope, string login, string secret) =>
        Of(purpose, Encoding.UTF8.GetBytes(scope), login, secret);

    /// <summary>With its length, so that no two different lists of parts are the same octets.</summary>
    private static void Append(IncrementalHash digest, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
        digest.AppendData(length);
        digest.AppendData(part);
    }
}
