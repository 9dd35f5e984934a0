namespace Sallyport.Server.Identity.Servers;

/// <summary>So many at once, so many waiting, and no more: logins must not become a flood for the server behind.</summary>
internal sealed class Places(int atOnce, int waitingMax) : IDisposable
{
    private readonly SemaphoreSlim _free = new(atOnce);
    private int _inside;

    /// <exception cref="ServerTroubleException">Too many wait already.</exception>
    public async Task<IDisposable> EnterAsync(CancellationToken cancel)
    {
        if (Interlocked.Increment(ref _inside) > atOnce + waitingMax)
        {
            Interlocked.Decrement(ref _inside);
            throw new ServerTroubleException("too many logins wait for this server");
        }

        try
        {
            await _free.WaitAsync(cancel);
            return new Place(Leave);
        }
        catch
        {
            Interlocked.Decrement(ref _inside);
            throw;
        }
    }

    public void Dispose() => _free.Dispose();

    private void Leave()
    {
        Interlocked.Decrement(ref _inside);
        _free.Release();
    }

    private sealed class Place(Action leave) : IDisposable
    {
        private Action? _leave = leave;

        public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke();
    }
}
