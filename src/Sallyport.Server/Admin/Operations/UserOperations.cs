using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Admin.Operations;

/// <summary>The local accounts.</summary>
public static class UserOperations
{
    public static AdminOperation<EmptyRequest, UserView[]> List { get; } =
        new("users/list", AdminJson.Default.EmptyRequest, AdminJson.Default.UserViewArray);

    public static AdminOperation<NewUser, AdminAnswer> Add { get; } = new("users/add", AdminJson.Default.NewUser, AdminJson.Default.AdminAnswer);

    public static AdminOperation<UserName, SaltView> Salt { get; } =
        new("users/salt", AdminJson.Default.UserName, AdminJson.Default.SaltView);

    public static AdminOperation<UserName, AdminAnswer> Remove { get; } =
        new("users/remove", AdminJson.Default.UserName, AdminJson.Default.AdminAnswer);

    public static AdminOperation<NewPassword, AdminAnswer> SetPassword { get; } =
        new("users/password", AdminJson.Default.NewPassword, AdminJson.Default.AdminAnswer);

    public static AdminOperation<AddressChange, AdminAnswer> ChangeAddresses { get; } =
        new("users/addresses", AdminJson.Default.AddressChange, AdminJson.Default.AdminAnswer);

    public static AdminOperation<UserName, AdminAnswer> Disable { get; } =
        new("users/disable", AdminJson.Default.UserName, AdminJson.Default.AdminAnswer);

    public static AdminOperation<UserName, AdminAnswer> Enable { get; } =
        new("users/enable", AdminJson.Default.UserName, AdminJson.Default.AdminAnswer);
}

public sealed record UserName(string Login);

public sealed record UserView(string Login, string[] Addresses, bool Disabled, DateTimeOffset CreatedAt);

/// <summary>A SCRAM-SHA-256 verifier made where the password was typed: the password itself never crosses the admin socket.</summary>
public sealed record VerifierView(int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey)
{
    public static VerifierView Of(ScramVerifier verifier) =>
        new(verifier.Iterations, verifier.Salt.ToArray(), verifier.StoredKey.ToArray(), verifier.ServerKey.ToArray());

    private const int IterationsMin = 4096;
    private const int IterationsMax = 10_000_000;
    private const int SaltBytesMin = 8;
    private const int SaltBytesMax = 64;
    private const int KeyBytes = 32;

    /// <summary>Null for a verifier logins can be checked with in reasonable time.</summary>
    public string? FindMistake() =>
        Iterations is >= IterationsMin and <= IterationsMax && Salt.Length is >= SaltBytesMin and <= SaltBytesMax
        && StoredKey.Length == KeyBytes && ServerKey.Length == KeyBytes
            ? null
            : $"the verifier is none: it needs {IterationsMin} to {IterationsMax} iterations, a salt of {SaltBytesMin} to {SaltBytesMax} octets "
                + $"and keys of {KeyBytes}";

    public ScramVerifier ToVerifier() => new(Iterations, Salt, StoredKey, ServerKey);

    public override string ToString() => "VerifierView";
}

/// <summary>What a new verifier of the login is to be made with, so that it goes with its app passwords in SCRAM; null for whatever.</summary>
public sealed record SaltView(int? Iterations, byte[]? Salt);

public sealed record NewUser(string Login, VerifierView Verifier, string[] Addresses);

public sealed record NewPassword(string Login, VerifierView Verifier);

/// <summary>Addresses a login may send as from now on, or no longer.</summary>
public sealed record AddressChange(string Login, string[] Add, string[] Remove);
