using System.Collections.Immutable;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity;

/// <summary>
/// A place that knows logins. Directories are asked in the configured order; the first that knows the login decides. What a
/// directory can judge it says by the further interfaces it has. Logins come prepared: lower case, no blanks around them.
/// </summary>
public interface IDirectory
{
    /// <summary>From the configuration; in logs and explanations.</summary>
    string Name { get; }

    /// <summary>
    /// What the directory knows of the login, without any secret: to explain, and after a proof made elsewhere. A directory that
    /// cannot look up answers <see cref="DirectoryAnswer.CannotLookUp"/>.
    /// </summary>
    ValueTask<DirectoryAnswer> FindAsync(string login, CancellationToken cancel);
}

/// <summary>Judges PLAIN and LOGIN. The password is never empty.</summary>
public interface IPasswordDirectory : IDirectory
{
    ValueTask<DirectoryAnswer> CheckPasswordAsync(string login, string password, CancellationToken cancel);

    /// <summary>The same, for a directory whose own server is told who asks from where.</summary>
    ValueTask<DirectoryAnswer> CheckPasswordAsync(LoginAttempt attempt, string login, string password, CancellationToken cancel) =>
        CheckPasswordAsync(login, password, cancel);
}

/// <summary>Keeps SCRAM-SHA-256 verifiers, so that the exchange is ours.</summary>
public interface IVerifierDirectory : IDirectory
{
    /// <summary>A <see cref="DirectoryAnswer.Verifier"/>, or <see cref="DirectoryAnswer.Unknown"/> where the login is not known.</summary>
    ValueTask<DirectoryAnswer> FindVerifierAsync(string login, CancellationToken cancel);
}

/// <summary>One thing a directory did to answer, for whoever operates the server. No secret is in it.</summary>
/// <param name="Outcome">ok, next, refused, failed, unavailable or warning.</param>
public sealed record DirectoryStep(string What, string Outcome, string Detail);

/// <summary>Can tell how it came to its answer.</summary>
public interface IExplainingDirectory : IPasswordDirectory
{
    /// <summary>The very check of a login, each step added as it is made.</summary>
    ValueTask<DirectoryAnswer> CheckPasswordAsync(string login, string password, IList<DirectoryStep> steps, CancellationToken cancel);
}

/// <summary>Depends on servers that can be tried without a login.</summary>
public interface ITryableDirectory : IDirectory
{
    /// <summary>A step for each server: does it answer as configured?</summary>
    ValueTask<ImmutableArray<DirectoryStep>> TryAsync(CancellationToken cancel);
}

/// <summary>Its server keeps verifiers it does not show and leads SCRAM exchanges itself; ours carries them between it and the client.</summary>
public interface IExchangeDirectory : IDirectory
{
    /// <summary>Whether the server offers the mechanism, as far as it has been heard.</summary>
    bool Leads(string mechanism);

    /// <param name="first">The client's first message.</param>
    /// <returns><see cref="DirectoryAnswer.Challenge"/>, or how it ended at once: an unknown login mostly does.</returns>
    ValueTask<DirectoryAnswer> BeginExchangeAsync(LoginAttempt attempt, ReadOnlyMemory<byte> first, CancellationToken cancel);
}

/// <summary>An exchange under way. Disposing of it before its end calls it off.</summary>
public interface IDirectoryExchange : IAsyncDisposable
{
    /// <returns>Another <see cref="DirectoryAnswer.Challenge"/>, or how it ended.</returns>
    ValueTask<DirectoryAnswer> ContinueAsync(ReadOnlyMemory<byte> response, CancellationToken cancel);
}

/// <summary>A login as a directory knows it.</summary>
/// <param name="Login">Its canonical name, as the log and the spool name it.</param>
/// <param name="Directory">The directory's name.</param>
/// <param name="Addresses">Addresses it may send as, in canonical form.</param>
/// <param name="Groups">Groups it is in, as the directory names them.</param>
public sealed record DirectoryEntry(string Login, string Directory, ImmutableArray<string> Addresses, ImmutableArray<string> Groups);

public abstract record DirectoryAnswer
{
    private DirectoryAnswer()
    {
    }

    public sealed record Granted(DirectoryEntry Entry) : DirectoryAnswer;

    public sealed record Verifier(ScramVerifier Value) : DirectoryAnswer;

    /// <summary>The directory's server leads the exchange, and says this.</summary>
    public sealed record Challenge(ReadOnlyMemory<byte> Octets, IDirectoryExchange Exchange) : DirectoryAnswer;

    /// <summary>The next directory is asked.</summary>
    public sealed record Unknown : DirectoryAnswer;

    /// <summary>Refused by a server that does not tell an unknown login from a wrong password: the next directory is asked.</summary>
    public sealed record UnknownOrWrong : DirectoryAnswer;

    /// <summary>This directory proves passwords but shows nobody: the next is asked.</summary>
    public sealed record CannotLookUp : DirectoryAnswer;

    public sealed record WrongPassword : DirectoryAnswer;

    public sealed record Disabled : DirectoryAnswer;

    /// <summary>The secret was right and is too old.</summary>
    public sealed record Expired : DirectoryAnswer;

    /// <summary>454: the client comes again. Never for a secret that was judged.</summary>
    public sealed record Unavailable(string Why) : DirectoryAnswer;
}
