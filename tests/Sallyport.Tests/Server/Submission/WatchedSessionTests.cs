using System.Net;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Submission;

/// <summary>A message the watch holds is taken, kept, and goes nowhere.</summary>
public sealed class WatchedSessionTests
{
    private const string Content = "From: <jane@acme.test>\r\n\r\ntext\r\n.\r\n";

    [Fact]
    public void A_stopped_message_gets_its_250_and_is_held_with_the_reason()
    {
        var watch = new Watch();
        using var bench = new SubmissionBench(watch: watch).LoggedIn();
        bench.Send("MAIL FROM:<jane@acme.test>\r\n", "RCPT TO:<a@example.com>\r\n", "RCPT TO:<b@example.com>\r\n", "DATA\r\n");
        Assert.StartsWith("250 2.0.0 Ok: queued as ", bench.Send(Content));
        var message = Assert.Single(bench.Messages());
        Assert.Equal(("stopped", "0 Held, 1 Held"), (message.Record.HoldReason, States(message)));
        Assert.False(bench.Handoff.Accepted.TryRead(out _));
        Assert.True(bench.Log.Events.OfType<MailEvent.MessageAccepted>().Single().Held);
        var held = bench.Log.Events.OfType<MailEvent.MessageHeld>().Single();
        Assert.Equal(("jane@acme.test", 2, "stopped"), (held.Login, held.Recipients, held.Reason));
        Assert.Equal(("jane@acme.test", 2L, 2L), (watch.Seen!.Login, watch.Seen.Amount.Recipients, watch.Seen.Amount.FirstTimeRecipients));
        Assert.Equal(["a@example.com", "b@example.com"], watch.Seen.Sample);
        Assert.Equal(IPAddress.Parse(bench.Wire.Client.ToString()), watch.Seen.Client);
    }

    [Fact]
    public void Where_too_much_is_held_nothing_more_is_taken()
    {
        using var bench = new SubmissionBench(watch: new Watch { IsFull = true }).LoggedIn();
        Assert.StartsWith("451 4.7.1 Too much mail of this login is held", bench.Send("MAIL FROM:<jane@acme.test>\r\n"));
    }

    private sealed class Watch : ISendingMonitor
    {
        public bool IsFull { get; init; }

        public bool HasRoomFor(string login, System.Collections.Immutable.ImmutableArray<string> groups) => !IsFull;

        public SendingFacts? Seen { get; private set; }

        public SendingDecision Evaluate(SendingFacts facts)
        {
            Seen = facts;
            return new SendingDecision("stopped");
        }
    }
}
