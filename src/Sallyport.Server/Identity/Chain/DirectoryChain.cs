using System.Collections.Immutable;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Chain;

/// <summary>The directories in their order, each asked with a deadline.</summary>
public sealed class DirectoryChain(ImmutableArray<IDirectory> directories, TimeProvider time)
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    public ImmutableArray<IDirectory> Directories => directories;

    /// <summary>
    /// The verdict of the first directory of this kind that knows the login; one that cannot answer ends the search, since it might be the
    /// one. Where none knows it, the most that any could say.
    /// </summary>
    /// <typeparam name="T">What a directory must be able to do to be asked.</typeparam>
    public async ValueTask<LoginVerdict> AskAsync<T>(Func<T, ValueTask<LoginVerdict>> ask, CancellationToken cancel)
        where T : IDirectory
    {
        LoginVerdict last = new LoginVerdict.Denied(LoginReason.UnknownLogin);
        foreach (var directory in directories.OfType<T>())
        {
            var verdict = await AskOneAsync(directory, ask, cancel);
            if (!verdict.IsForTheNext)
            {
                return verdict with { Directory = directory.Name };
            }

            last = verdict is LoginVerdict.Denied { Reason: LoginReason.UnknownLogin, Detail: "" } ? last : verdict;
        }

        return last;
    }

    /// <summary>What the directory of this name knows of a login.</summary>
    public async ValueTask<LoginVerdict> FindInAsync(string directory, string login, CancellationToken cancel) =>
        directories.FirstOrDefault(one => one.Name == directory) is { } named
            ? await AskOneAsync(named, one => one.FindAsync(login, cancel), cancel) with { Directory = directory }
            : new LoginVerdict.Denied(LoginReason.UnknownLogin);

    /// <summary>The next word of a server that leads an exchange, with the same deadline.</summary>
    public ValueTask<LoginVerdict> ContinueAsync(IDirectoryExchange exchange, ReadOnlyMemory<byte> response, CancellationToken cancel) =>
        WaitAsync("", () => exchange.ContinueAsync(response, cancel), cancel);

    private ValueTask<LoginVerdict> AskOneAsync<T>(T directory, Func<T, ValueTask<LoginVerdict>> ask, CancellationToken cancel)
        where T : IDirectory => WaitAsync($"directory {directory.Name}: ", () => ask(directory), cancel);

    /// <summary>What goes wrong is a verdict, too: nobody has judged the login.</summary>
    private async ValueTask<LoginVerdict> WaitAsync(string who, Func<ValueTask<LoginVerdict>> ask, CancellationToken cancel)
    {
        try
        {
            return await ask().AsTask().WaitAsync(AnswerMax, time, cancel);
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            return new LoginVerdict.Unavailable(who + exception.Message);
        }
    }
}
