namespace Sallyport.Tests.Store;

/// <summary>A disk whose flush takes as long as the test likes.</summary>
internal sealed class WriterStall : IDisposable
{
    private readonly SemaphoreSlim _entered = new(0);
    private readonly SemaphoreSlim _go = new(0);
    private volatile bool _armed;

    /// <summary>What the writer calls before each commit.</summary>
    public void Pass()
    {
        if (_armed)
        {
            _armed = false;
            _entered.Release();
            _go.Wait(TimeSpan.FromSeconds(60));
        }
    }

    /// <summary>Returns when the commit of this write stalls.</summary>
    public async Task BeginAsync(Func<Task> write, CancellationToken cancel)
    {
        _armed = true;
        _ = write();
        await _entered.WaitAsync(cancel);
    }

    public void End() => _go.Release();

    public void Dispose()
    {
        _entered.Dispose();
        _go.Dispose();
    }
}
