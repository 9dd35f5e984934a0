using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Relay;

/// <summary>A fault that lasts is said again now and then, not at every try: the log of a full disk must not fill the disk.</summary>
internal sealed class LogThrottle(IMailLog log, TimeProvider time)
{
    private static readonly TimeSpan Between = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _saidAt = new(StringComparer.Ordinal);

    /// <param name="topic">One of few: what the line is about, whatever its words.</param>
    public void Write(string topic, string what)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_saidAt.TryGetValue(topic, out var last) && now - last < Between)
            {
                return;
            }

            _saidAt[topic] = now;
        }

        log.Write(new MailEvent.Problem(what));
    }
}
