using System.Collections.Immutable;
using CsCheck;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Mail.Relaying;

/// <summary>A transaction as a table: replies in their order, and what they mean for recipients 0, 1, 2.</summary>
public sealed class RelayTransactionTests
{
    /// <summary>R relayed, D deferred, F failed, O overflow; ! the whole host; 2 maybe twice. Replies in order: MAIL, RCPT…, DATA, final.</summary>
    [Theory]
    [InlineData("250 250 250 250 354 250", "R R R", "R R R")]
    [InlineData("250 550 450 250 354 250", "F D R", "F D R")]
    [InlineData("250 250 452 452 354 250", "R O O", "R O O")]
    [InlineData("250 452 250 452 354 250", "D R O", "D R O")]
    [InlineData("250 250 250 250 354 554", "F F F", "F F F")]
    [InlineData("250 250 250 250 354 451", "D! D! D!", "D! D! D!")]
    [InlineData("250 250 250 250 451", "D! D! D!", "D! D! D!")]
    [InlineData("250 250 250 250 554", "F F F", "F F F")]
    [InlineData("550 503 503 503 503", "F F F", "F F F")]
    [InlineData("451 503 503 503 503", "D! D! D!", "D! D! D!")]
    [InlineData("530 503 503 503 503", "D! D! D!", "D! D! D!")]
    [InlineData("552 503 503 503 354 250", "F F F", "F F F")]
    [InlineData("250 550 550 550 503", "F F F", "F F F")]
    [InlineData("250 550 550 550 554", "F F F", "F F F")]
    [InlineData("250 450 550 450 354 250", "D F D", "D F D")]
    [InlineData("250 250 421", "D! D! D!", "D! D! D!")]
    [InlineData("250 550 421", "F D! D!", "F D! D!")]
    [InlineData("421", "D! D! D!", "D! D! D!")]
    [InlineData("250 250 250 250 354 421", "D! D! D!", "D! D! D!")]
    [InlineData("250 250 503", "D! D! D!", "D! D! D!")]
    public void Each_recipient_has_its_verdict(string replies, string pipelined, string oneByOne)
    {
        Assert.Equal(pipelined, Play(replies, Hop with { Pipelining = true }));
        Assert.Equal(oneByOne, Play(replies, Hop));
    }

    [Theory]
    [InlineData("250 250", "D! D! D!")]
    [InlineData("250 550 250 250 354", "F D2 D2")]
    public void A_lost_connection_may_mean_twice_only_behind_the_final_dot(string replies, string verdicts)
    {
        var transaction = Start(replies, Hop with { Pipelining = true });
        transaction.Lost("gone");
        Assert.Equal(verdicts, Show(transaction));
        Assert.True(transaction.ConnectionOver);
    }

    [Fact]
    public void With_pipelining_all_commands_leave_together_and_without_it_each_waits()
    {
        var together = new RelayTransaction(Mail(), Hop with { Pipelining = true });
        Assert.Equal("MAIL FROM:<jane@acme.test>\r\nRCPT TO:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nDATA\r\n",
            together.TakeCommands());
        Assert.Equal((5, ""), (together.Awaited, together.TakeCommands()));
        var alone = new RelayTransaction(Mail(), Hop);
        Assert.Equal(("MAIL FROM:<jane@acme.test>\r\n", ""), (alone.TakeCommands(), alone.TakeCommands()));
        alone.Receive(new Reply(250, null, "Ok"));
        Assert.Equal("RCPT TO:<a@x.test>\r\n", alone.TakeCommands());
    }

    [Fact]
    public void RSET_is_due_where_MAIL_was_taken_and_no_content_followed()
    {
        Assert.True(Start("250 550 550 550", Hop).IsLeftOpen);
        Assert.False(Start("550", Hop).IsLeftOpen);
        Assert.True(Start("250 550 550 550 554", Hop with { Pipelining = true }).IsLeftOpen);
        Assert.True(Start("250 250 250 250 451", Hop).IsLeftOpen);
        Assert.False(Start("250 250 250 250 354 554", Hop).IsLeftOpen);
    }

    [Theory]
    [InlineData(DsnNotify.Unspecified, null, "")]
    [InlineData(DsnNotify.Never, null, " NOTIFY=NEVER")]
    [InlineData(DsnNotify.Success | DsnNotify.Failure | DsnNotify.Delay, null, " NOTIFY=SUCCESS,FAILURE,DELAY")]
    [InlineData(DsnNotify.Unspecified, "rfc822;a+b=c d@x.test", " ORCPT=rfc822;a+2Bb+3Dc+20d@x.test")]
    [InlineData(DsnNotify.Unspecified, "nonsense", "")]
    public void Parameters_of_DSN_are_written_as_they_came(DsnNotify notify, string? original, string expected)
    {
        var mail = Mail() with { Recipients = [new RelayRecipient(0, new ForwardPath(Box("a@x.test")), notify, original)] };
        Assert.Contains($"RCPT TO:<a@x.test>{expected}\r\n", new RelayTransaction(mail, Hop with { Pipelining = true, Dsn = true }).TakeCommands());
        Assert.Contains("RCPT TO:<a@x.test>\r\n", new RelayTransaction(mail, Hop with { Pipelining = true }).TakeCommands());
    }

    [Fact]
    public void Whatever_is_answered_each_recipient_gets_a_verdict_and_nobody_is_relayed_without_a_250_to_the_content() =>
        Gen.Select(Gen.OneOfConst(220, 250, 251, 354, 421, 450, 452, 500, 503, 530, 550).Array[12], Gen.Bool).Sample((codes, pipelining) =>
        {
            var transaction = new RelayTransaction(Mail(), Hop with { Pipelining = pipelining });
            var reached = false;
            foreach (var code in codes.TakeWhile(_ => transaction.Phase != RelayPhase.Done))
            {
                transaction.TakeCommands();
                var final = transaction.Phase == RelayPhase.Final;
                transaction.Receive(new Reply(code, null, "x"));
                reached |= final && code / 100 == 2;
                if (transaction.Phase is RelayPhase.Content or RelayPhase.EmptyContent)
                {
                    transaction.ContentSent();
                }
            }

            if (transaction.Phase != RelayPhase.Done)
            {
                transaction.Lost("gone");
            }

            var verdicts = transaction.Verdicts.ToList();
            Assert.Equal([0, 1, 2], verdicts.Select(verdict => verdict.Number));
            Assert.True(reached || verdicts.TrueForAll(verdict => verdict.Kind != VerdictKind.Relayed));
        });

    private static NextHopCapabilities Hop => NextHopCapabilities.None with { EightBitMime = true };

    private static RelayMail Mail() => new(new ReversePath(Box("jane@acme.test")),
        [.. "abc".Select((c, i) => new RelayRecipient(i, new ForwardPath(Box(c + "@x.test")), DsnNotify.Unspecified, null))],
        false, false, null, null, 100);

    private static string Play(string replies, NextHopCapabilities hop)
    {
        var transaction = Start(replies, hop);
        Assert.Equal(RelayPhase.Done, transaction.Phase);
        return Show(transaction);
    }

    private static RelayTransaction Start(string replies, NextHopCapabilities hop)
    {
        var transaction = new RelayTransaction(Mail(), hop);
        foreach (var code in replies.Split(' ').Select(int.Parse).TakeWhile(_ => transaction.Phase != RelayPhase.Done).ToImmutableArray())
        {
            if (transaction.Phase == RelayPhase.Done)
            {
                break; // without pipelining nobody sends DATA for nobody, so that what follows is not asked
            }

            transaction.TakeCommands();
            transaction.Receive(new Reply(code, null, "x"));
            if (transaction.Phase is RelayPhase.Content or RelayPhase.EmptyContent)
            {
                transaction.ContentSent();
            }
        }

        return transaction;
    }

    private static string Show(RelayTransaction transaction) => string.Join(' ', transaction.Verdicts.Select(
        verdict => verdict.Kind.ToString()[..1] + (verdict.WholeHost ? "!" : "") + (verdict.MaybeTwice ? "2" : "")));
}
