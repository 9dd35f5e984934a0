using System.Collections.Immutable;
using System.Threading.Channels;
using Sallyport.Server.Telemetry;

namespace Sallyport.Server.Outcomes;

/// <summary>
/// Tells subscribers what has become of mail, after the commit and never before it. Publishing waits for nobody: each subscriber has a
/// bounded queue and a task of its own, so that one that is slow or broken costs neither the relay nor the others anything.
/// </summary>
/// <remarks>A subscriber hears of what is published after it was added, and once, however often it is added.</remarks>
public sealed class OutcomeFeed(IMailLog log) : IAsyncDisposable
{
    /// <summary>Outcomes waiting for one subscriber; more are dropped, counted, and the count is a line in the log.</summary>
    public const int WaitingMax = 16_384;

    private readonly Lock _gate = new();
    private ImmutableArray<Subscription> _subscriptions = [];
    private bool _ended;

    /// <summary>Adds a subscriber; nothing happens when it is there already, or when the feed has ended.</summary>
    public void Subscribe(IOutcomeSubscriber subscriber)
    {
        lock (_gate)
        {
            if (!_ended && !_subscriptions.Any(one => ReferenceEquals(one.Subscriber, subscriber)))
            {
                _subscriptions = _subscriptions.Add(new Subscription(subscriber, log));
            }
        }
    }

    /// <summary>From any thread, without waiting.</summary>
    public void Publish(MailOutcome outcome)
    {
        foreach (var subscription in _subscriptions)
        {
            subscription.Offer(outcome);
        }
    }

    /// <summary>What was published so far is heard first.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _ended = true;
        }

        await Task.WhenAll(_subscriptions.Select(subscription => subscription.EndAsync()));
    }

    private sealed class Subscription
    {
        private readonly IMailLog _log;
        private readonly Channel<MailOutcome> _waiting = Channel.CreateBounded<MailOutcome>(
            new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

        private readonly Task _running;
        private long _dropped;

        public Subscription(IOutcomeSubscriber subscriber, IMailLog log)
        {
            (Subscriber, _log) = (subscriber, log);
            _running = Task.Run(RunAsync);
        }

        public IOutcomeSubscriber Subscriber { get; }

        public void Offer(MailOutcome outcome)
        {
            if (!_waiting.Writer.TryWrite(outcome))
            {
                Interlocked.Increment(ref _dropped);
            }
        }

        public Task EndAsync()
        {
            _waiting.Writer.TryComplete();
            return _running;
        }

        private async Task RunAsync()
        {
            await foreach (var outcome in _waiting.Reader.ReadAllAsync())
            {
                await TellAsync(outcome);
                if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
                {
                    _log.Write(new MailEvent.Problem($"{dropped} outcomes were not told to {Subscriber.Name}: they came faster than it takes them"));
                }
            }
        }

        private async ValueTask TellAsync(MailOutcome outcome)
        {
            try
            {
                await Subscriber.TakeAsync(outcome);
            }
            catch (Exception exception)
            {
                _log.Write(new MailEvent.Problem($"{Subscriber.Name} could not take an outcome: {exception.Message}"));
            }
        }
    }
}
