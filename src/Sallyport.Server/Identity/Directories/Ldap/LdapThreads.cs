namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>
/// Threads for calls that block in libldap, a bounded number, started when there is work: the pool of threads everything else runs
/// on is never held up by a directory. Work waits in a bounded queue; what nobody waits for any more is not begun.
/// </summary>
internal sealed class LdapThreads(string name, int most) : IDisposable
{
    private const int WaitingMax = 2000;

    private readonly object _gate = new();
    private readonly Queue<Action> _waiting = new();
    private int _started;
    private int _idle;
    private bool _stopped;

    /// <exception cref="LdapServerException">Too much waits already.</exception>
    public Task<T> RunAsync<T>(Func<T> work, CancellationToken cancel)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_stopped || _waiting.Count >= WaitingMax)
            {
                throw new LdapServerException(_stopped ? "the directory is closed" : "too many logins wait for the directory", isServer: false);
            }

            _waiting.Enqueue(() => Run(work, done, cancel));
            if (_idle < _waiting.Count && _started < most)
            {
                _started++;
                new Thread(Loop) { IsBackground = true, Name = $"ldap {name} {_started}" }.Start();
            }

            Monitor.Pulse(_gate);
        }

        return done.Task;
    }

    /// <summary>Each thread ends after what it is at.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
    }

    private static void Run<T>(Func<T> work, TaskCompletionSource<T> done, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
        {
            done.TrySetCanceled(cancel);
            return;
        }

        try
        {
            done.TrySetResult(work());
        }
        catch (Exception exception)
        {
            done.TrySetException(exception);
        }
    }

    private void Loop()
    {
        while (Next() is { } work)
        {
            work();
        }
    }

    private Action? Next()
    {
        lock (_gate)
        {
            _idle++;
            while (_waiting.Count == 0 && !_stopped)
            {
                Monitor.Wait(_gate);
            }

            _idle--;
            return _waiting.TryDequeue(out var work) ? work : null;
        }
    }
}
