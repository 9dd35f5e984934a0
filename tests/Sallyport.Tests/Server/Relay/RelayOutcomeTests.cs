using Sallyport.Server.Configuration;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>What a next hop answers, and what becomes of each recipient.</summary>
public sealed class RelayOutcomeTests : IAsyncDisposable
{
    private readonly ScriptedHop _hop = new();

    public ValueTask DisposeAsync() => _hop.DisposeAsync();

    [Fact]
    public async Task A_message_is_relayed_to_all_its_recipients_in_one_transaction_and_is_gone()
    {
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, Record("a@x.test", "b@y.test", "c@z.test"), "Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n");
        Assert.All(await bench.SettledAsync(3), settled => Assert.Equal(RecipientState.Relayed, settled.State));
        var message = Assert.Single(_hop.Messages);
        Assert.Equal("MAIL FROM:<jane@acme.test> SIZE=38", message.Mail);
        Assert.Equal(["RCPT TO:<a@x.test>", "RCPT TO:<b@y.test>", "RCPT TO:<c@z.test>"], message.Rcpt);
        Assert.Equal("Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n", message.Content);
        Assert.Null(await bench.FindAsync(1));
        Assert.NotNull(bench.Handoff.TryReserve(10_000_000)); // the room in memory was given back
    }

    [Fact]
    public async Task Each_recipient_has_the_outcome_its_own_reply_gives()
    {
        _hop.Script = (_, command) => command switch
        {
            "RCPT TO:<later@x.test>" => "450 4.2.0 Greylisted",
            "RCPT TO:<never@x.test>" => "550-5.1.1 No such user\r\n550 5.1.1 Ask the postmaster",
            _ => null,
        };
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "later@x.test", "good@x.test", "never@x.test");
        Assert.Equal(
        [
            "<later@x.test> Due: 450 4.2.0 Greylisted",
            "<good@x.test> Relayed: 250 2.0.0 taken in session 1",
            "<never@x.test> Failed: 550-5.1.1 No such user 550 5.1.1 Ask the postmaster",
        ], await bench.OutcomesAsync(3));
        Assert.Equal(["RCPT TO:<good@x.test>"], _hop.Messages[0].Rcpt);
        Assert.Equal("0 Due, 1 Relayed, 2 Failed", States(await bench.FindAsync(1)));

        _hop.Script = (_, _) => null;
        await bench.PassToAsync(bench.Log.Settled[0]);
        await _hop.UntilAsync(hop => hop.Messages.Any(message => message.Rcpt is ["RCPT TO:<later@x.test>"]));
    }

    [Theory]
    [InlineData("MAIL", "550 5.7.1 Not from you", RecipientState.Failed)]
    [InlineData("MAIL", "451 4.3.0 Later", RecipientState.Due)]
    [InlineData("MAIL", "530 5.7.0 Log in first", RecipientState.Due)]
    [InlineData("DATA", "554 5.5.0 No", RecipientState.Failed)]
    [InlineData("DATA", "451 4.3.0 Later", RecipientState.Due)]
    [InlineData(".", "554 5.7.1 Spam", RecipientState.Failed)]
    [InlineData(".", "452 4.3.1 Full", RecipientState.Due)]
    public async Task A_reply_about_the_message_is_every_recipients(string command, string reply, RecipientState state)
    {
        _hop.Script = (_, heard) => heard.StartsWith(command, StringComparison.Ordinal) ? reply : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, Record("a@x.test", "b@x.test") with { Envelope = Null("a@x.test", "b@x.test") });
        Assert.Equal([$"<a@x.test> {state}: {reply}", $"<b@x.test> {state}: {reply}"], await bench.OutcomesAsync(2));
        Assert.Empty(_hop.Messages);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_every_recipient_is_refused_no_content_is_sent_and_the_connection_serves_the_next_message(bool pipelining)
    {
        _hop.Extensions = pipelining ? _hop.Extensions : [];
        _hop.Script = (_, command) => command is "RCPT TO:<a@x.test>" or "RCPT TO:<b@x.test>" ? "450 4.2.0 Later" : null;
        await using var bench = new RelayBench(One(_hop));
        await bench.SubmitAsync(1, "a@x.test", "b@x.test");
        Assert.All(await bench.SettledAsync(2), settled => Assert.Equal("450 4.2.0 Later", settled.Reply));
        await bench.SubmitAsync(2, "c@x.test");
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(3))[2].State);
        Assert.Equal(1, _hop.Sessions);
        Assert.Equal(1, _hop.Count("RSET"));
    }

    [Fact]
    public async Task A_hop_that_takes_only_so_many_recipients_gets_the_rest_at_once_in_another_transaction()
    {
        var inThis = 0;
        _hop.Script = (_, command) =>
        {
            inThis = command.StartsWith("MAIL", StringComparison.Ordinal) ? 0 : inThis;
            return command.StartsWith("RCPT", StringComparison.Ordinal) && ++inThis > 2 ? "452 4.5.3 Too many recipients" : null;
        };
        await using var bench = new RelayBench(One(_hop));
        await bench.SubmitAsync(1, "a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test");
        await _hop.UntilAsync(hop => hop.Messages.Length == 3);
        Assert.Equal([2, 2, 1], _hop.Messages.Select(message => message.Rcpt.Length));
        await bench.SettledAsync(5 + 3 + 1);
        Assert.Null(await bench.FindAsync(1));
    }

    [Fact]
    public async Task Many_recipients_go_in_transactions_of_the_configured_size()
    {
        await using var bench = new RelayBench(
            options => options with { Relay = options.Relay with { RecipientsPerTransaction = 4 } }, One(_hop));
        await bench.SubmitAsync(1, [.. Enumerable.Range(0, 10).Select(i => $"user{i}@x.test")]);
        await bench.SettledAsync(10);
        Assert.Equal([2, 4, 4], _hop.Messages.Select(message => message.Rcpt.Length).Order());
    }

    [Fact]
    public async Task A_connection_lost_behind_the_final_dot_marks_the_message_as_perhaps_there_twice_and_is_tried_again()
    {
        _hop.Script = (session, command) => session == 1 && command == "." ? ScriptedHop.Drop : null;
        await using var second = new ScriptedHop();
        await using var bench = new RelayBench(RelayBench.To(_hop, second));
        await bench.SubmitAsync(1, "a@x.test");
        var first = (await bench.SettledAsync(1))[0];
        Assert.True(first.MaybeTwice);
        Assert.Equal(RecipientState.Due, first.State);
        Assert.StartsWith("451 4.4.2 The connection to 127.0.0.1", first.Reply, StringComparison.Ordinal);
        Assert.Equal(0, second.Sessions); // another host would make two of it for sure, if this one has it
        await bench.PassToAsync(first);
        var again = (await bench.SettledAsync(2))[1];
        Assert.Equal((RecipientState.Relayed, false, 2), (again.State, again.MaybeTwice, again.Attempts));
    }

    [Theory]
    [InlineData("MAIL")]
    [InlineData("RCPT")]
    [InlineData("DATA")]
    public async Task A_connection_lost_before_the_final_dot_is_the_next_hosts_turn(string command)
    {
        _hop.Script = (_, heard) => heard.StartsWith(command, StringComparison.Ordinal) ? ScriptedHop.Drop : null;
        await using var second = new ScriptedHop();
        await using var bench = new RelayBench(RelayBench.To(_hop, second));
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal((RecipientState.Relayed, false), (settled.State, settled.MaybeTwice));
        Assert.Single(second.Messages);
    }

    [Theory]
    [InlineData("MAIL")]
    [InlineData("RCPT")]
    [InlineData("DATA")]
    [InlineData(".")]
    public async Task A_421_within_the_session_is_about_the_host_and_ends_the_connection(string command)
    {
        _hop.Script = (_, heard) => heard.StartsWith(command, StringComparison.Ordinal) ? "421 4.3.2 Going down" : null;
        await using var second = new ScriptedHop();
        await using var bench = new RelayBench(RelayBench.To(_hop, second));
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(1))[0].State);
        Assert.Single(second.Messages);
        await _hop.UntilAsync(hop => hop.Open == 0);
        Assert.Equal(0, _hop.Count("QUIT"));
    }

    [Theory]
    [InlineData("This is not SMTP")]
    [InlineData("250")]
    [InlineData("999 Beyond")]
    public async Task What_is_no_reply_ends_the_connection_and_defers(string reply)
    {
        _hop.Script = (_, command) => command.StartsWith("MAIL", StringComparison.Ordinal) ? reply + "\r\n" + reply + "x" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(RecipientState.Due, settled.State);
        Assert.Contains("not SMTP", settled.Reply, StringComparison.Ordinal);
        await _hop.UntilAsync(hop => hop.Open == 0);
    }

    [Fact]
    public async Task A_capturing_route_keeps_the_message_in_its_Maildir()
    {
        var folder = Path.Combine(Path.GetTempPath(), "sallyport-" + Guid.NewGuid().ToString("N"));
        try
        {
            await using var bench = new RelayBench(new RouteOptions { Recipients = ["*"], Capture = folder });
            await bench.SubmitAsync(1, "a@x.test", "b@x.test");
            Assert.All(await bench.SettledAsync(2), settled => Assert.Equal(RecipientState.Relayed, settled.State));
            var file = Assert.Single(Directory.GetFiles(Path.Combine(folder, "new")));
            var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            Assert.EndsWith("Subject: kept\r\n\r\nHello\r\n", text, StringComparison.Ordinal);
            Assert.Contains("b@x.test", text, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFiles(Path.Combine(folder, "tmp")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static RouteOptions One(ScriptedHop hop) => RelayBench.To(hop) with { ConnectionsMax = 1 };

    private static Sallyport.Mail.Smtp.Envelope Null(params string[] recipients) =>
        Record(recipients).Envelope with { ReversePath = Sallyport.Mail.Addressing.ReversePath.Null };
}
