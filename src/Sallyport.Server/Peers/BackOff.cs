namespace Sallyport.Server.Peers;

/// <summary>
/// How long a server that failed is left alone: a while that doubles with each failure up to a bound, and nothing after a success.
/// Several callers who find out at the same time are one failure. A value without a clock or a lock: its owner has both.
/// </summary>
/// <param name="Failures">In a row.</param>
/// <param name="Until">Left alone until then.</param>
internal readonly record struct BackOff(int Failures, DateTimeOffset Until)
{
    private const int DoublingsMax = 20;

    public bool IsDown(DateTimeOffset now) => Until > now;

    /// <param name="first">The wait after the first failure.</param>
    public BackOff Failed(DateTimeOffset now, TimeSpan first, TimeSpan most)
    {
        if (IsDown(now))
        {
            return this;
        }

        var wait = first * Math.Pow(2, Math.Min(Failures, DoublingsMax));
        return new(Failures + 1, now + (wait < most ? wait : most));
    }
}
