using System.Collections.Immutable;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Identity.Contracts;

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
    /// cannot look up answers <see cref="LoginReason.CannotLookUp"/>.
    /// </summary>
    ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel);
}

/// <summary>Judges PLAIN and LOGIN. The password is never empty.</summary>
public interface IPasswordDirectory : IDirectory
{
    ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, CancellationToken cancel);

    /// <summary>The same, for a directory that is told who asks from where.</summary>
    ValueTask<LoginVerdict> CheckPasswordAsync(LoginAttempt attempt, string login, string password, CancellationToken cancel) =>
        CheckPasswordAsync(login, password, cancel);
}

/// <summary>Keeps password hashes itself.</summary>
public interface IHashingDirectory : IPasswordDirectory
{
    /// <summary>Is a password of a login that is unknown here hashed all the same, so that time tells nothing?</summary>
    bool HashesForUnknown { get; set; }
}

/// <summary>Keeps SCRAM-SHA-256 verifiers, so that the exchange is ours.</summary>
public interface IVerifierDirectory : IDirectory
{
    /// <summary>A <see cref="LoginVerdict.Verifier"/>, or <see cref="LoginReason.UnknownLogin"/> where the login is not known.</summary>
    ValueTask<LoginVerdict> FindVerifierAsync(string login, CancellationToken cancel);
}

/// <summary>One thing a directory did to answer, for whoever operates the server. No secret is in it.</summary>
/// <param name="Outcome">ok, next, refused, failed, unavailable or warning.</param>
public sealed record DirectoryStep(string What, string Outcome, string Detail);

/// <summary>Cannot look up, but says by a login's form alone what it would be called and may send as.</summary>
public interface INamingDirectory : IDirectory
{
    DirectoryEntry EntryOf(string login);
}

/// <summary>Can tell how it came to its answer.</summary>
public interface IExplainingDirectory : IPasswordDirectory
{
    /// <summary>The very check of a login, each step added as it is made.</summary>
    ValueTask<LoginVerdict> CheckPasswordAsync(string login, string password, IList<DirectoryStep> steps, CancellationToken cancel);
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
    /// <returns><see cref="LoginVerdict.Challenge"/>, or how it ended at once: an unknown login mostly does.</returns>
    ValueTask<LoginVerdict> BeginExchangeAsync(LoginAttempt attempt, ReadOnlyMemory<byte> first, CancellationToken cancel);
}

/// <summary>An exchange under way. Disposing of it before its end calls it off.</summary>
public interface IDirectoryExchange : IAsyncDisposable
{
    /// <returns>Another <see cref="LoginVerdict.Challenge"/>, or how it ended.</returns>
    ValueTask<LoginVerdict> ContinueAsync(ReadOnlyMemory<byte> response, CancellationToken cancel);
}

/// <summary>A directory that finds the logins an address belongs to.</summary>
public interface IAddressDirectory : IDirectory
{
    ValueTask<IReadOnlyList<DirectoryEntry>> FindByAddressAsync(string address, CancellationToken cancel);
}

/// <summary>Proves who somebody is, and may leave it to another directory what that login may use.</summary>
public interface IAssertionDirectory : IDirectory
{
    /// <summary>The directory that is asked for addresses and groups, and whether the login is enabled; null when this one says it all.</summary>
    string? LookUpIn { get; }
}

/// <summary>Judges OAuth 2.0 access tokens (OAUTHBEARER, XOAUTH2).</summary>
public interface ITokenDirectory : IAssertionDirectory
{
    /// <summary>Told to a client whose token is refused.</summary>
    TokenService Service { get; }

    /// <param name="login">Whom the client says the token is for, prepared; null when the token alone says it.</param>
    /// <returns><see cref="LoginReason.UnknownLogin"/> for a token of another issuer.</returns>
    ValueTask<TokenEvaluation> EvaluateTokenAsync(string token, string? login, CancellationToken cancel);
}

/// <summary>Knows the holders of verified client certificates (EXTERNAL).</summary>
public interface ICertificateDirectory : IAssertionDirectory
{
    /// <param name="login">Whom the client wants to act for, prepared; null when the certificate alone says it.</param>
    ValueTask<LoginVerdict> CheckCertificateAsync(ClientCertificate certificate, string? login, CancellationToken cancel);
}

/// <summary>What became of a token, and the checks on the way: none of them shows the token.</summary>
public sealed record TokenEvaluation(LoginVerdict Answer, ImmutableArray<TokenCheck> Checks);

/// <param name="Passed">Null for a remark.</param>
public sealed record TokenCheck(string Check, bool? Passed, string Because);

/// <summary>A login as a directory knows it.</summary>
/// <param name="Login">Its canonical name, as the log and the spool name it.</param>
/// <param name="Directory">The directory's name.</param>
/// <param name="Addresses">Addresses it may send as, in canonical form.</param>
/// <param name="Groups">Groups it is in, as the directory names them.</param>
public sealed record DirectoryEntry(string Login, string Directory, ImmutableArray<string> Addresses, ImmutableArray<string> Groups);
