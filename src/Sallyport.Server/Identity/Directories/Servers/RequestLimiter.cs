using System.Threading.RateLimiting;

namespace Sallyport.Server.Identity.Directories.Servers;

/// <summary>So many at once, so many waiting, and no more: logins must not become a flood for the server behind.</summary>
internal sealed class RequestLimiter(int atOnce, int waitingMax) : IDisposable
{
    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = atOnce,
        QueueLimit = waitingMax,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <returns>To be disposed of when the request is over.</returns>
    /// <exception cref="DirectoryServerException">Too many wait already.</exception>
    public async ValueTask<IDisposable> EnterAsync(CancellationToken cancel)
    {
        var lease = await _limiter.AcquireAsync(1, cancel);
        if (lease.IsAcquired)
        {
            return lease;
        }

        lease.Dispose();
        throw new DirectoryServerException("too many logins wait for this server");
    }

    public void Dispose() => _limiter.Dispose();
}
