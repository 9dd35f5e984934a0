using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity;

/// <summary>A place that knows logins. Directories are asked in order; the first that knows the login decides.</summary>
public interface IDirectory
{
    string Name { get; }

    ValueTask<DirectoryAnswer> CheckPasswordAsync(string login, string password, CancellationToken cancel);

    /// <summary>The verifier for SCRAM; <see cref="DirectoryAnswer.Unknown"/> where the login or its verifier is not known.</summary>
    ValueTask<DirectoryAnswer> FindVerifierAsync(string login, CancellationToken cancel);

    /// <summary>What the login may use, without a password: after SCRAM has proven it, or to explain.</summary>
    ValueTask<DirectoryAnswer> FindGrantAsync(string login, CancellationToken cancel);
}

public abstract record DirectoryAnswer
{
    private DirectoryAnswer()
    {
    }

    public sealed record Granted(Grant Grant) : DirectoryAnswer;

    public sealed record Verifier(ScramVerifier Value) : DirectoryAnswer;

    public sealed record Unknown : DirectoryAnswer;

    public sealed record WrongPassword : DirectoryAnswer;

    public sealed record Disabled : DirectoryAnswer;

    public sealed record Unavailable(string Why) : DirectoryAnswer;
}
