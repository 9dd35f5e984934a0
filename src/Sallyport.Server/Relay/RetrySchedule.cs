using Sallyport.Server.Configuration;

namespace Sallyport.Server.Relay;

/// <summary>When to try again (RFC 5321 §4.5.4.1): waits that grow, with a jitter so that a crowd spreads out.</summary>
public static class RetrySchedule
{
    private const double JitterShare = 0.1;
    private static readonly TimeSpan UntriedJitter = TimeSpan.FromSeconds(2);

    /// <param name="attempts">Attempts made so far, this one included: at least 1.</param>
    /// <param name="jitter">From 0 to 1.</param>
    /// <returns>Null when the time is up.</returns>
    public static DateTimeOffset? Next(int attempts, DateTimeOffset receivedAt, DateTimeOffset now, RelayOptions options, double jitter)
    {
        var growth = Math.Pow(options.RetryFactor, Math.Min(attempts - 1, 60));
        var wait = Math.Min(options.RetryFirst.TotalSeconds * growth, options.RetryMax.TotalSeconds);
        return Within(now + TimeSpan.FromSeconds(wait * (1 - JitterShare + (2 * JitterShare * jitter))), receivedAt, now, options);
    }

    /// <summary>A message that was not tried does not pay for the attempts it had before: it is due as soon as it can be tried.</summary>
    /// <returns>Null when the time is up.</returns>
    public static DateTimeOffset? NextUntried(
        DateTimeOffset until, DateTimeOffset receivedAt, DateTimeOffset now, RelayOptions options, double jitter) =>
        Within(until + (UntriedJitter * jitter), receivedAt, now, options);

    private static DateTimeOffset? Within(DateTimeOffset next, DateTimeOffset receivedAt, DateTimeOffset now, RelayOptions options)
    {
        var end = receivedAt + options.GiveUpAfter;
        return now >= end ? null : next < end ? next : end;
    }
}
