using System.Collections.Immutable;

namespace Sallyport.Mail.Sasl;

/// <summary>
/// What is stored in place of a password (RFC 5803): enough to check PLAIN, LOGIN and SCRAM-SHA-256, not enough to log in elsewhere.
/// </summary>
public sealed record ScramVerifier(int Iterations, ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> StoredKey, ReadOnlyMemory<byte> ServerKey)
{
    /// <summary>Of other passwords of the login, made with the same salt and as many iterations: any one of them will do.</summary>
    public ImmutableArray<ScramKeys> Also { get; init; } = [];

    public override string ToString() => "ScramVerifier";
}

/// <param name="Name">By which an exchange says that it was this one.</param>
public sealed record ScramKeys(string Name, ReadOnlyMemory<byte> StoredKey, ReadOnlyMemory<byte> ServerKey)
{
    public override string ToString() => $"ScramKeys {Name}";
}
