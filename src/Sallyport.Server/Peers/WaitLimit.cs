namespace Sallyport.Server.Peers;

/// <summary>One wait for another server: called off when its time is up by our clock, or by whoever waits.</summary>
internal sealed class WaitLimit : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _caller;

    public WaitLimit(TimeSpan within, TimeProvider time, CancellationToken caller)
    {
        _source = new CancellationTokenSource(within, time);
        _caller = caller.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _caller.Dispose();
        _source.Dispose();
    }
}
