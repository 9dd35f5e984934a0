using System.Net;
using Sallyport.Server.Limits;

namespace Sallyport.Server.Identity.Passwords;

/// <summary>
/// Does slow work on a few threads of its own, which give way to all others: mail goes on while passwords are hashed. The networks that
/// wait are served in turn and each has few places, so that whoever guesses from one of them waits behind himself.
/// </summary>
/// <param name="threads">Work done at once.</param>
/// <param name="waitingMax">Is <see cref="WaitingMax"/> at first.</param>
/// <param name="waitingPerNetworkMax">Is <see cref="WaitingPerNetworkMax"/> at first.</param>
/// <param name="waitMax">How long it may wait.</param>
public sealed class HashQueue(int threads, int waitingMax, int waitingPerNetworkMax, TimeSpan waitMax, TimeProvider time) : IDisposable
{
    private const int Niceness = 5;

    private readonly object _gate = new();
    private readonly Dictionary<IPAddress, Queue<Job>> _waiting = [];
    private readonly Queue<IPAddress> _turns = [];
    private int _count;
    private int _started;
    private int _idle;
    private bool _closed;

    /// <summary>Work waiting, in all; what is there stays.</summary>
    public int WaitingMax { get; set; } = waitingMax;

    /// <summary>Work waiting for one network; what is there stays.</summary>
    public int WaitingPerNetworkMax { get; set; } = waitingPerNetworkMax;

    /// <summary>What the work says; null when there was no place, or it waited too long.</summary>
    public async Task<bool?> RunAsync(IPAddress network, Func<bool> work)
    {
        if (Enqueue(network, work) is not { } job)
        {
            return null;
        }

        try
        {
            return await job.Result.WaitAsync(waitMax, time);
        }
        catch (TimeoutException)
        {
            job.GiveUp(); // unless it is being done
            return await job.Result;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            foreach (var job in _waiting.Values.SelectMany(queue => queue))
            {
                job.GiveUp();
            }

            Monitor.PulseAll(_gate);
        }
    }

    private Job? Enqueue(IPAddress network, Func<bool> work)
    {
        lock (_gate)
        {
            var queue = _waiting.GetValueOrDefault(network);
            if (_closed || _count >= WaitingMax || queue?.Count >= WaitingPerNetworkMax)
            {
                return null;
            }

            if (queue is null)
            {
                _waiting[network] = queue = [];
                _turns.Enqueue(network);
            }

            var job = new Job(work);
            queue.Enqueue(job);
            _count++;
            if (_idle > 0)
            {
                _idle--;
                Monitor.Pulse(_gate);
            }
            else if (_started < threads)
            {
                _started++;
                new Thread(Work) { IsBackground = true, Name = "password hash", Priority = ThreadPriority.BelowNormal }.Start();
            }

            return job;
        }
    }

    private void Work()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = NativeMethods.SetPriority(0, 0, Niceness); // there a thread's priority is its own niceness; the runtime does not set it
        }

        while (Next() is { } job)
        {
            job.Do();
        }
    }

    private Job? Next()
    {
        lock (_gate)
        {
            while (!_closed)
            {
                if (_turns.TryDequeue(out var network))
                {
                    var queue = _waiting[network];
                    var job = queue.Dequeue();
                    _count--;
                    if (queue.Count > 0)
                    {
                        _turns.Enqueue(network);
                    }
                    else
                    {
                        _waiting.Remove(network);
                    }

                    return job;
                }

                _idle++;
                Monitor.Wait(_gate); // whoever wakes us counts us out
            }

            return null;
        }
    }

    private sealed class Job(Func<bool> work)
    {
        private readonly TaskCompletionSource<bool?> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _taken;

        public Task<bool?> Result => _result.Task;

        public void GiveUp()
        {
            if (Interlocked.Exchange(ref _taken, 1) == 0)
            {
                _result.SetResult(null);
            }
        }

        public void Do()
        {
            if (Interlocked.Exchange(ref _taken, 1) != 0)
            {
                return;
            }

            try
            {
                _result.SetResult(work());
            }
            catch (Exception exception)
            {
                _result.SetException(exception);
            }
        }
    }
}
