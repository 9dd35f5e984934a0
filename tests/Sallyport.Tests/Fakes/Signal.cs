using Xunit;

namespace Sallyport.Tests.Fakes;

/// <summary>Lets a test await a condition: whoever changes something says so, and the waiters look again. Nobody sleeps.</summary>
internal sealed class Signal
{
    /// <summary>Only a broken test waits this long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = New();

    public void Changed()
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            (changed, _changed) = (_changed, New());
        }

        changed.SetResult();
    }

    public async Task UntilAsync(Func<bool> condition, Func<string> otherwise)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
            }

            if (condition())
            {
                return;
            }

            try
            {
                await changed.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException("it never came to pass; so far: " + otherwise());
            }
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
