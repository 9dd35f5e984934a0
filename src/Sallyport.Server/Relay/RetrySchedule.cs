using Sallyport.Server.Configuration;

namespace Sallyport.Server.Relay;

/// <summary>When to try again (RFC 5321 §4.5.4.1): waits that grow, with a jitter so that a crowd spreads out.</summary>
public static class RetrySchedule
{
    private const double JitterShare = 0.1;

    /// <param name="attempts">Attempts made so far, this one included: at least 1.</param>
    /// <param name="jitter">From 0 to 1.</param>
    /// <returns>Null when the time is up.</returns>
    public static DateTimeOffset? Next(int attempts, DateTimeOffset receivedAt, DateTimeOffset now, RelayOptions options, double jitter)
    {
        var end = receivedAt + options.GiveUpAfter;
        if (now >= end)
        {
            return null;
        }

        var growth = Math.Pow(options.RetryFactor, Math.Min(attempts - 1, 60));
        var wait = Math.Min(options.RetryFirst.TotalSeconds * growth, options.RetryMax.TotalSeconds);
        var next = now + TimeSpan.FromSeconds(wait * (1 - JitterShare + (2 * JitterShare * jitter)));
        return next < end ? next : end;
    }
}
