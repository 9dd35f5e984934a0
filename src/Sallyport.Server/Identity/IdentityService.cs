using System.Collections.Immutable;
using System.Security.Cryptography;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Identity;

/// <summary>Answers a session's questions about a login, for the client and, with the true reason, for the log.</summary>
public sealed class IdentityService(ImmutableArray<IDirectory> directories, MadeUpVerifiers madeUp, GrantResolver grants)
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    public ImmutableArray<IDirectory> Directories => directories;

    public GrantResolver Grants => grants;

    public async ValueTask<(LoginAnswer Answer, string Why)> CheckPasswordAsync(LoginAttempt attempt, string password, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(attempt.Login);
        return prepared is null
            ? (new LoginAnswer.Wrong(), "not a login")
            : await ToLoginAsync((await AskAsync(
                [.. directories.OfType<IPasswordDirectory>()],
                directory => ((IPasswordDirectory)directory).CheckPasswordAsync(attempt, prepared, password, cancel), cancel)).Answer, cancel);
    }

    /// <summary>What a login may use.</summary>
    /// <param name="directory">The one that vouched for the login; null asks all in order, to explain.</param>
    public async ValueTask<(LoginAnswer Answer, string Why)> FindGrantAsync(string login, string? directory, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(login);
        if (prepared is null)
        {
            return (new LoginAnswer.Wrong(), "not a login");
        }

        var asked = directory is null ? directories : [.. directories.Where(one => one.Name == directory)];
        return await ToLoginAsync((await AskAsync(asked, one => one.FindAsync(prepared, cancel), cancel)).Answer, cancel);
    }

    /// <summary>
    /// Begins SCRAM with the first directory that knows the login: with its verifier, or with its server's own exchange. Where that one
    /// has neither, or none knows the login, with a made-up verifier: the exchange goes on and fails.
    /// </summary>
    /// <param name="clientFirst">The client's first message.</param>
    public async ValueTask<ScramBeginning> BeginScramAsync(LoginAttempt attempt, ReadOnlyMemory<byte> clientFirst, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(attempt.Login) ?? "";
        var (answer, directory) = await AskAsync(directories, one => one switch
        {
            IVerifierDirectory verifiers => verifiers.FindVerifierAsync(prepared, cancel),
            IExchangeDirectory exchanges when exchanges.Leads(attempt.Mechanism) => exchanges.BeginExchangeAsync(attempt, clientFirst, cancel),
            _ => one.FindAsync(prepared, cancel),
        }, cancel);
        return answer switch
        {
            DirectoryAnswer.Challenge challenge => new ScramBeginning.Theirs(challenge.Octets, challenge.Exchange),
            DirectoryAnswer.Verifier found => new ScramBeginning.Ours(new VerifierAnswer.Found(found.Value, NewNonce()), directory),
            DirectoryAnswer.Unavailable unavailable => new ScramBeginning.Ours(new VerifierAnswer.Unavailable(unavailable.Why), directory),
            _ => new ScramBeginning.Ours(new VerifierAnswer.Found(madeUp.For(prepared), NewNonce()), directory),
        };
    }

    /// <summary>Brings a response to the server that leads the exchange.</summary>
    public async ValueTask<(ExchangeAnswer Answer, string Why)> ContinueAsync(
        IDirectoryExchange exchange, ReadOnlyMemory<byte> response, CancellationToken cancel)
    {
        DirectoryAnswer answer;
        try
        {
            answer = await exchange.ContinueAsync(response, cancel).AsTask().WaitAsync(AnswerMax, cancel);
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            answer = new DirectoryAnswer.Unavailable(exception.Message);
        }

        if (answer is DirectoryAnswer.Challenge challenge)
        {
            return (new ExchangeAnswer.Challenge(challenge.Octets), "");
        }

        var (login, why) = await ToLoginAsync(answer, cancel);
        return (new ExchangeAnswer.Ended(login), why);
    }

    private static string NewNonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));

    /// <summary>The first directory that knows the login; one that cannot answer ends the search, since it might be the one.</summary>
    private static async ValueTask<(DirectoryAnswer Answer, string Directory)> AskAsync(
        ImmutableArray<IDirectory> directories, Func<IDirectory, ValueTask<DirectoryAnswer>> ask, CancellationToken cancel)
    {
        DirectoryAnswer last = new DirectoryAnswer.Unknown();
        foreach (var directory in directories)
        {
            DirectoryAnswer answer;
            try
            {
                answer = await ask(directory).AsTask().WaitAsync(AnswerMax, cancel);
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                answer = new DirectoryAnswer.Unavailable($"directory {directory.Name}: {exception.Message}");
            }

            if (answer is not (DirectoryAnswer.Unknown or DirectoryAnswer.UnknownOrWrong or DirectoryAnswer.CannotLookUp))
            {
                return (answer, directory.Name);
            }

            last = answer is DirectoryAnswer.Unknown ? last : answer;
        }

        return (last, "");
    }

    private async ValueTask<(LoginAnswer Answer, string Why)> ToLoginAsync(DirectoryAnswer answer, CancellationToken cancel) => answer switch
    {
        DirectoryAnswer.Granted granted => (new LoginAnswer.Granted(await grants.ResolveAsync(granted.Entry, cancel)), ""),
        DirectoryAnswer.Disabled => (new LoginAnswer.Disabled(), "the account is disabled"),
        DirectoryAnswer.Expired => (new LoginAnswer.Disabled(), "the password has expired"),
        DirectoryAnswer.Unavailable unavailable => (new LoginAnswer.Unavailable(unavailable.Why), unavailable.Why),
        DirectoryAnswer.Unknown => (new LoginAnswer.Wrong(), "unknown login"),
        DirectoryAnswer.UnknownOrWrong => (new LoginAnswer.Wrong(), "unknown login or wrong password"),
        DirectoryAnswer.CannotLookUp => (new LoginAnswer.Wrong(), "no directory that can look up logins knows it"),
        _ => (new LoginAnswer.Wrong(), "wrong password"),
    };
}

/// <summary>How a SCRAM exchange begins.</summary>
public abstract record ScramBeginning
{
    private ScramBeginning()
    {
    }

    /// <summary>We lead it, with a verifier.</summary>
    /// <param name="Directory">The one that gave it.</param>
    public sealed record Ours(VerifierAnswer Answer, string Directory) : ScramBeginning;

    /// <summary>A directory's server leads it.</summary>
    public sealed record Theirs(ReadOnlyMemory<byte> Challenge, IDirectoryExchange Exchange) : ScramBeginning;
}
