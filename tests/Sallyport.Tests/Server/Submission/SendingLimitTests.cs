using System.Collections.Immutable;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Submission;

/// <summary>Where a session asks the book of what its login sends, and what is counted in the end.</summary>
public sealed class SendingLimitTests
{
    private const string Jane = "jane@acme.test";
    private const string Mail = "MAIL FROM:<jane@acme.test>\r\n";
    private const string Bob = "RCPT TO:<bob@example.com>\r\n";
    private const string Content = "DATA\r\n";
    private const string Text = "Subject: x\r\n\r\nHello\r\n.\r\n";

    [Fact]
    public void A_message_counts_once_it_is_kept_with_what_it_was()
    {
        using var bench = new SubmissionBench().LoggedIn();
        Assert.StartsWith("250", bench.Send(Mail, Bob, "RCPT TO:<boss@acme.test>\r\n", Content, Text));
        Assert.Equal(new SendingAmount(1, 2, 1, Text.Length - 3, 1), bench.Sending.ActivityOf(Jane).Day);
        Assert.Equal(new SendingAmount(0, 0, 0, 0, 1), bench.Sending.ActivityOf(Jane).UnderWay);
        bench.Send("QUIT\r\n");
        Assert.Equal(default, bench.Sending.ActivityOf(Jane).UnderWay);
    }

    [Theory]
    [InlineData("RSET\r\n")]
    [InlineData("EHLO laptop\r\n")]
    [InlineData("QUIT\r\n")]
    [InlineData("DATA\r\n|bare\nnewline\r\n.\r\n")]
    [InlineData("BDAT 2 LAST\r\n\0\n")]
    public void What_came_to_nothing_counts_nowhere(string end)
    {
        using var bench = new SubmissionBench(
            change: options => options with { Submission = new SubmissionOptions { BareNewlines = BareNewlines.Refuse } }).LoggedIn();
        bench.Send(Mail, Bob);
        Assert.Equal(new SendingAmount(1, 1, 1, 0, 1), bench.Sending.ActivityOf(Jane).UnderWay);
        bench.Send(end.Split('|'));
        Assert.Equal(new SendingAmount(0, 0, 0, 0, end[0] == 'Q' ? 0 : 1), bench.Sending.ActivityOf(Jane).UnderWay);
        Assert.Equal(new SendingAmount(0, 0, 0, 0, 1), bench.Sending.ActivityOf(Jane).Day);
    }

    [Fact]
    public void A_client_that_leaves_and_a_commit_that_fails_give_back()
    {
        using var bench = new SubmissionBench().LoggedIn();
        bench.Store.Faults.DiskLow = true;
        bench.Send(Mail);
        bench.Store.Faults.DiskLow = false;
        bench.Send(Mail, Bob, Content);
        bench.Store.Faults.DiskLow = true;
        Assert.StartsWith("452", bench.Send(Text));
        bench.Store.Faults.DiskLow = false;
        bench.Send(Mail, Bob);
        bench.Wire.Leave();
        Assert.Equal(default, bench.Sending.ActivityOf(Jane).UnderWay);
        Assert.Equal(new SendingAmount(0, 0, 0, 0, 1), bench.Sending.ActivityOf(Jane).Day);
    }

    [Fact]
    public void Each_refusal_has_its_line_with_all_its_facts()
    {
        using var bench = new SubmissionBench(change: With(SendingMeasure.Messages, 0)).LoggedIn();
        Assert.Equal("550 5.7.1 Login jane@acme.test may send 0 messages an hour; ask your administrator\r\n", bench.Send(Mail));
        var line = bench.Log.Events.OfType<MailEvent.LimitReached>().Single();
        Assert.Equal((Jane, "<jane@acme.test>", "login:jane@acme.test", SendingMeasure.Messages, 0L, 0L),
            (line.Login, line.Subject, line.Whose, line.Measure, line.Used, line.Allowed));
    }

    [Fact]
    public void Sessions_at_once_are_counted_until_they_end_and_a_refused_login_is_no_failed_one()
    {
        using var bench = new SubmissionBench(change: With(SendingMeasure.Connections, 1, SendingWindow.AtOnce));
        var sender = new SendingLogin(Jane, [], [], [.. QuotaPolicy.Applying(bench.Services.Site.Options.Quotas, Jane, [])]);
        Assert.Null(bench.Sending.TryConnect(sender, System.Net.IPAddress.Loopback, out var other));
        bench.Send("EHLO laptop\r\n");
        Assert.Equal("454 4.7.0 Login jane@acme.test may have 1 connection at once; the next is free when one of those under way ends\r\n",
            bench.Send(SubmissionBench.Login));
        Assert.Empty(bench.Log.Events.Where(one => one is MailEvent.LoginFailed or MailEvent.LoginUnavailable or MailEvent.LoginSucceeded));
        Assert.Single(bench.Log.Events.OfType<MailEvent.LimitReached>());
        other!.End();
        Assert.StartsWith("235", bench.Send(SubmissionBench.Login));
        Assert.Equal(1, bench.Sending.ActivityOf(Jane).UnderWay.Connections);
    }

    [Fact]
    public void A_limit_changed_by_a_reload_is_in_force_at_the_next_message_of_a_session_under_way()
    {
        using var bench = new SubmissionBench().LoggedIn();
        Assert.StartsWith("250", bench.Send(Mail, Bob, Content, Text));
        var before = bench.Services.Site.Current;
        bench.Services.Site.Swap(before with { Options = With(SendingMeasure.Messages, 1)(before.Options) });
        Assert.StartsWith("451 4.7.1", bench.Send(Mail));
        bench.Services.Site.Swap(before);
        Assert.StartsWith("250", bench.Send(Mail));
    }

    [Fact]
    public void A_message_the_watch_wants_held_is_held_counted_and_accepted()
    {
        var watch = new Watch();
        using var bench = new SubmissionBench(watch: watch).LoggedIn();
        Assert.StartsWith("250 2.0.0 Ok: queued as", bench.Send(Mail, Bob, "RCPT TO:<boss@acme.test>\r\n", Content, Text));
        var facts = Assert.Single(watch.Asked);
        Assert.Equal((Jane, new SendingAmount(1, 2, 1, Text.Length - 3, 0)), (facts.Login, facts.Amount));
        var message = Assert.Single(bench.Messages());
        Assert.Equal("too many strangers", message.Record.HoldReason);
        Assert.All(message.Recipients, recipient => Assert.Equal(RecipientState.Held, recipient.State));
        Assert.Equal((1L, 0), (bench.Sending.ActivityOf(Jane).Day.Messages, bench.Sending.ActivityOf(Jane).Contacts));
    }

    private static Func<ServerOptions, ServerOptions> With(SendingMeasure measure, long allowed, SendingWindow window = SendingWindow.Hour) =>
        options => options with { Quotas = [new Quota(["*"], false, [new QuotaLimit(measure, window, allowed)], 1)] };

    private sealed class Watch : ISendingMonitor
    {
        public ImmutableArray<SendingFacts> Asked { get; private set; } = [];

        public SendingDecision Evaluate(SendingFacts facts)
        {
            Asked = Asked.Add(facts);
            return new SendingDecision("too many strangers");
        }
    }
}
