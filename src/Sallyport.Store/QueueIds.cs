using System.Security.Cryptography;
using Sallyport.Mail.Smtp;

namespace Sallyport.Store;

/// <summary>Names messages, one source for a node: no two are given the same microsecond, and none is guessed from another.</summary>
public class QueueIds(TimeProvider time)
{
    private long _last;

    public virtual QueueId Next()
    {
        var now = time.GetUtcNow().UtcTicks / TimeSpan.TicksPerMicrosecond;
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
            {
                var at = new DateTimeOffset(next * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
                return QueueId.Create(at, (uint)RandomNumberGenerator.GetInt32(int.MaxValue));
            }
        }
    }
}
