using Sallyport.Mail.Sasl;
using Sallyport.Server.Identity.Passwords;

namespace Sallyport.Server.Admin.Operations;

/// <summary>The local accounts.</summary>
public static class UserOperations
{
    public static AdminListing<ListRequest, UserView> List { get; } =
        new("users/list", AdminJson.Default.ListRequest, AdminJson.Default.UserViewArray) { Role = AdminRole.Reader };

    public static AdminOperation<NewUser, AdminAnswer> Add { get; } =
        new("users/add", AdminJson.Default.NewUser, AdminJson.Default.AdminAnswer) { Changes = true, About = user => user.Login };

    public static AdminOperation<UserName, SaltView> Salt { get; } =
        new("users/salt", AdminJson.Default.UserName, AdminJson.Default.SaltView) { About = user => user.Login };

    public static AdminOperation<UserName, AdminAnswer> Remove { get; } = Change("users/remove");

    public static AdminOperation<NewPassword, AdminAnswer> SetPassword { get; } =
        new("users/password", AdminJson.Default.NewPassword, AdminJson.Default.AdminAnswer) { Changes = true, About = change => change.Login };

    public static AdminOperation<AddressChange, AdminAnswer> ChangeAddresses { get; } =
        new("users/addresses", AdminJson.Default.AddressChange, AdminJson.Default.AdminAnswer)
        {
            Changes = true,
            About = change => change.Login,
        };

    public static AdminOperation<UserName, AdminAnswer> Disable { get; } = Change("users/disable");

    public static AdminOperation<UserName, AdminAnswer> Enable { get; } = Change("users/enable");

    private static AdminOperation<UserName, AdminAnswer> Change(string path) =>
        new(path, AdminJson.Default.UserName, AdminJson.Default.AdminAnswer) { Changes = true, About = user => user.Login };
}

public sealed record UserName(string Login);

public sealed record UserView(string Login, string[] Addresses, bool Disabled, DateTimeOffset CreatedAt);

/// <summary>A SCRAM-SHA-256 verifier made where the password was typed: the password itself never crosses the admin socket.</summary>
public sealed record VerifierView(int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey)
{
    public static VerifierView Of(ScramVerifier verifier) =>
        new(verifier.Iterations, verifier.Salt.ToArray(), verifier.StoredKey.ToArray(), verifier.ServerKey.ToArray());

    /// <summary>For a password just typed; with the salt the login's app passwords have, where there are some.</summary>
    public static VerifierView Make(string password, SaltView? with = null) => Of(with is { Iterations: { } iterations, Salt: { } salt }
        ? PasswordHasher.CreateVerifier(password, salt, iterations)
        : PasswordHasher.CreateVerifier(password));

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
            : $"not a usable verifier: it needs {IterationsMin} to {IterationsMax} iterations, a salt of {SaltBytesMin} to {SaltBytesMax} bytes "
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
