namespace Sallyport.Mail.Sasl;

/// <summary>
/// What is stored in place of a password (RFC 5803): enough to check PLAIN, LOGIN and SCRAM-SHA-256, not enough to log in elsewhere.
/// </summary>
public sealed record ScramVerifier(int Iterations, ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> StoredKey, ReadOnlyMemory<byte> ServerKey)
{
    public override string ToString() => "ScramVerifier";
}
