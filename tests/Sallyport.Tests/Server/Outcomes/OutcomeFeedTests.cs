using System.Threading.Channels;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Outcomes;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Outcomes;

/// <summary>Who hears of what has become of mail, in which order, and what one subscriber costs another.</summary>
public sealed class OutcomeFeedTests
{
    private readonly RecordingLog _log = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_subscriber_hears_of_everything_in_order_and_before_the_feed_ends()
    {
        var (first, second) = (new Listener("first"), new Listener("second"));
        var feed = new OutcomeFeed(_log);
        feed.Subscribe(first);
        feed.Subscribe(second);
        for (var i = 1; i <= 100; i++)
        {
            feed.Publish(Kept(i));
        }

        await feed.DisposeAsync();
        Assert.Equal(Enumerable.Range(1, 100).Select(i => Id(i)), first.Heard);
        Assert.Equal(first.Heard, second.Heard);
        Assert.Empty(_log.Events);
    }

    [Fact]
    public async Task A_subscriber_that_throws_is_named_in_the_log_and_hears_of_the_next()
    {
        var (broken, sound) = (new Listener("broken") { Fails = Id(1) }, new Listener("sound"));
        var feed = new OutcomeFeed(_log);
        feed.Subscribe(broken);
        feed.Subscribe(sound);
        feed.Publish(Kept(1));
        feed.Publish(Kept(2));
        await feed.DisposeAsync();
        Assert.Equal([Id(2)], broken.Heard);
        Assert.Equal([Id(1), Id(2)], sound.Heard);
        Assert.Equal("broken could not take an outcome: no", Assert.IsType<MailEvent.Problem>(Assert.Single(_log.Events)).What);
    }

    [Fact]
    public async Task A_subscriber_that_hangs_keeps_neither_the_publisher_nor_the_others_waiting_and_what_it_missed_is_told()
    {
        var (slow, sound) = (new Listener("slow") { Waits = true }, new Listener("sound"));
        var feed = new OutcomeFeed(_log);
        feed.Subscribe(slow);
        feed.Publish(Kept(1));
        await slow.Begun;
        for (var i = 2; i <= OutcomeFeed.WaitingMax + 4; i++)
        {
            feed.Publish(Kept(i));
        }

        feed.Subscribe(sound);
        feed.Publish(Kept(99_999));
        Assert.Equal(Id(99_999), await sound.NextAsync(Cancel));
        slow.Release();
        await feed.DisposeAsync();
        Assert.Equal(OutcomeFeed.WaitingMax + 1, slow.Heard.Count);
        var problem = Assert.IsType<MailEvent.Problem>(Assert.Single(_log.Events));
        Assert.StartsWith("4 outcomes were not told to slow", problem.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscriber_added_twice_hears_once_and_one_added_late_hears_of_what_comes()
    {
        var (twice, late) = (new Listener("twice"), new Listener("late"));
        var feed = new OutcomeFeed(_log);
        feed.Subscribe(twice);
        feed.Subscribe(twice);
        feed.Publish(Kept(1));
        feed.Subscribe(late);
        feed.Publish(Kept(2));
        await feed.DisposeAsync();
        feed.Publish(Kept(3));
        feed.Subscribe(new Listener("too late"));
        Assert.Equal([Id(1), Id(2)], twice.Heard);
        Assert.Equal([Id(2)], late.Heard);
    }

    private static MailOutcome Kept(int id) => new MailOutcome.MessageKept(Id(id), "jane", 1, null, Now);

    private sealed class Listener(string name) : IOutcomeSubscriber
    {
        private readonly Channel<QueueId> _heard = Channel.CreateUnbounded<QueueId>();
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => name;

        public bool Waits { get; init; }

        public QueueId? Fails { get; init; }

        public Task Begun => _begun.Task;

        public List<QueueId> Heard { get; } = [];

        public async ValueTask TakeAsync(MailOutcome outcome)
        {
            _begun.TrySetResult();
            if (Waits)
            {
                await _released.Task;
            }

            var id = ((MailOutcome.MessageKept)outcome).Id;
            if (id == Fails)
            {
                throw new InvalidOperationException("no");
            }

            Heard.Add(id);
            _heard.Writer.TryWrite(id);
        }

        public void Release() => _released.TrySetResult();

        public ValueTask<QueueId> NextAsync(CancellationToken cancel) => _heard.Reader.ReadAsync(cancel);
    }
}
