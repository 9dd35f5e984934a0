using System.Collections.Immutable;
using System.Security.Cryptography;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;

namespace Sallyport.Server.Identity;

/// <summary>Answers a session's questions about a login, for the client and, with the true reason, for the log.</summary>
public sealed class IdentityService(ImmutableArray<IDirectory> directories, MadeUpVerifiers madeUp)
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    public ImmutableArray<IDirectory> Directories => directories;

    public async ValueTask<(LoginAnswer Answer, string Why)> CheckPasswordAsync(string login, string password, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(login);
        return prepared is null
            ? (new LoginAnswer.Wrong(), "not a login")
            : ToLogin(await AskAsync(directory => directory.CheckPasswordAsync(prepared, password, cancel), cancel));
    }

    public async ValueTask<(LoginAnswer Answer, string Why)> FindGrantAsync(string login, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(login);
        return prepared is null
            ? (new LoginAnswer.Wrong(), "not a login")
            : ToLogin(await AskAsync(directory => directory.FindGrantAsync(prepared, cancel), cancel));
    }

    public async ValueTask<VerifierAnswer> FindVerifierAsync(string login, CancellationToken cancel)
    {
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
        var prepared = Credentials.PrepareLogin(login) ?? "";
        var answer = await AskAsync(directory => directory.FindVerifierAsync(prepared, cancel), cancel);
        return answer switch
        {
            DirectoryAnswer.Verifier found => new VerifierAnswer.Found(found.Value, nonce),
            DirectoryAnswer.Unavailable unavailable => new VerifierAnswer.Unavailable(unavailable.Why),
            _ => new VerifierAnswer.Found(madeUp.For(prepared), nonce),
        };
    }

    /// <summary>The first directory that knows the login; one that cannot answer ends the search, since it might be the one.</summary>
    private async ValueTask<DirectoryAnswer> AskAsync(Func<IDirectory, ValueTask<DirectoryAnswer>> ask, CancellationToken cancel)
    {
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

            if (answer is not DirectoryAnswer.Unknown)
            {
                return answer;
            }
        }

        return new DirectoryAnswer.Unknown();
    }

    private static (LoginAnswer Answer, string Why) ToLogin(DirectoryAnswer answer) => answer switch
    {
        DirectoryAnswer.Granted granted => (new LoginAnswer.Granted(granted.Grant), ""),
        DirectoryAnswer.Disabled => (new LoginAnswer.Disabled(), "the account is disabled"),
        DirectoryAnswer.Unavailable unavailable => (new LoginAnswer.Unavailable(unavailable.Why), unavailable.Why),
        DirectoryAnswer.Unknown => (new LoginAnswer.Wrong(), "unknown login"),
        _ => (new LoginAnswer.Wrong(), "wrong password"),
    };
}
