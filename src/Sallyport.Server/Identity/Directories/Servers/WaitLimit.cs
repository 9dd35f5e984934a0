using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>A deadline for asking a server: its token ends when the time is over or the caller gives up, whichever is first.</summary>
internal sealed class WaitLimit : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    public WaitLimit(TimeSpan within, TimeProvider time, CancellationToken cancel)
    {
        _timer = new CancellationTokenSource(within, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, cancel);
    }

    public CancellationToken Token => _either.Token;

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }

    /// <summary>In words, why there was no answer.</summary>
    public static string Why(Exception exception, TimeSpan within) => exception is OperationCanceledException
        ? $"no answer within {Quantities.Show(within)}"
        : ServerConnector.Innermost(exception);
}
