using System.Collections.Immutable;

namespace Sallyport.Server.Identity;

/// <summary>Asks directories in their order.</summary>
public sealed class DirectoryWalk(TimeProvider time)
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    /// <summary>The first directory that knows the login; one that cannot answer ends the search, since it might be the one.</summary>
    public async ValueTask<(DirectoryAnswer Answer, string Directory)> AskAsync(
        ImmutableArray<IDirectory> directories, Func<IDirectory, ValueTask<DirectoryAnswer>> ask, CancellationToken cancel)
    {
        DirectoryAnswer last = new DirectoryAnswer.Unknown();
        foreach (var directory in directories)
        {
            DirectoryAnswer answer;
            try
            {
                answer = await ask(directory).AsTask().WaitAsync(AnswerMax, time, cancel);
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                answer = new DirectoryAnswer.Unavailable($"directory {directory.Name}: {exception.Message}");
            }

            if (answer is not (DirectoryAnswer.Unknown or DirectoryAnswer.UnknownOrWrong or DirectoryAnswer.CannotLookUp))
            {
                return (answer, directory.Name);
            }

            last = answer is DirectoryAnswer.Unknown { Why: "" } ? last : answer;
        }

        return (last, "");
    }

    /// <summary>The last word of a server that leads an exchange, in the same time.</summary>
    public async ValueTask<DirectoryAnswer> ContinueAsync(IDirectoryExchange exchange, ReadOnlyMemory<byte> response, CancellationToken cancel)
    {
        try
        {
            return await exchange.ContinueAsync(response, cancel).AsTask().WaitAsync(AnswerMax, cancel);
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            return new DirectoryAnswer.Unavailable(exception.Message);
        }
    }
}
