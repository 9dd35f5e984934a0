using Sallyport.Mail.Addressing;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>A next hop that says nothing: every wait ends by the clock (RFC 5321 §4.5.3.2), and none holds up another next hop.</summary>
public sealed class RelayDeadlineTests : IAsyncDisposable
{
    private readonly ScriptedHop _hop = new();

    public ValueTask DisposeAsync() => _hop.DisposeAsync();

    [Theory]
    [InlineData("connect", 301)]
    [InlineData("EHLO", 302)]
    [InlineData("MAIL", 302)]
    [InlineData("RCPT", 302)]
    [InlineData("DATA", 302)]
    public async Task A_hop_that_falls_silent_is_given_up_after_its_time_and_the_next_host_is_asked(string command, int seconds)
    {
        _hop.Extensions = ["SIZE"]; // one command at a time: behind pipelined ones the wait for an earlier reply looks the same
        _hop.Script = (_, heard) => heard.StartsWith(command, StringComparison.Ordinal) ? ScriptedHop.Silence : null;
        await using var second = new ScriptedHop();
        await using var bench = new RelayBench(RelayBench.To(_hop, second));
        await bench.SubmitAsync(1, "a@x.test");
        await _hop.UntilAsync(hop => hop.Count(command) == 1);
        await bench.Clock.ArmedAsync(TimeSpan.FromSeconds(seconds));
        bench.Clock.Advance(TimeSpan.FromSeconds(seconds - 1));
        Assert.Empty(bench.Log.Settled);
        bench.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(1))[0].State);
        Assert.Single(second.Messages);
    }

    [Fact]
    public async Task Silence_behind_the_final_dot_may_mean_twice()
    {
        _hop.Script = (_, heard) => heard == "." ? ScriptedHop.Silence : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test");
        await bench.Clock.RunOutAsync(TimeSpan.FromSeconds(601));
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal((RecipientState.Due, true), (settled.State, settled.MaybeTwice));
        Assert.EndsWith("no answer in time", settled.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hop_that_does_not_take_the_content_is_given_up_and_has_nothing_twice()
    {
        var never = new TaskCompletionSource();
        _hop.Extensions = ["SIZE"];
        _hop.Before = command => command == "content" ? never.Task : Task.CompletedTask;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        var lines = string.Concat(Enumerable.Repeat(new string('a', 98) + "\r\n", 160_000));
        await bench.SubmitAsync(1, Record("a@x.test"), "Subject: x\r\n\r\n" + lines);
        await _hop.UntilAsync(hop => hop.Count("DATA") == 1);
        var settling = bench.SettledAsync(1);
        while (!settling.IsCompleted)
        {
            // The wait that runs out may be one for a block that the sockets still took: then the next block's is the one.
            await Task.WhenAny(settling, bench.Clock.RunOutAsync(TimeSpan.FromSeconds(181)));
        }

        var settled = (await settling)[0];
        Assert.Equal((RecipientState.Due, false), (settled.State, settled.MaybeTwice));
    }

    [Fact]
    public async Task A_silent_destination_does_not_hold_up_another()
    {
        _hop.Script = (_, _) => ScriptedHop.Silence;
        await using var other = new ScriptedHop();
        await using var bench = new RelayBench(
            RelayBench.To(_hop) with { Recipients = ["slow.test"] }, RelayBench.To(other) with { Recipients = ["*"] });
        for (var i = 1; i <= 20; i++)
        {
            await bench.SubmitAsync(i, "a@slow.test", "b@fast.test");
        }

        await other.UntilAsync(hop => hop.Messages.Length == 20);
        Assert.All(await bench.SettledAsync(20), settled => Assert.Equal("<b@fast.test>", settled.Recipient));
    }

    [Fact]
    public async Task A_message_that_takes_its_time_does_not_hold_up_the_next_to_the_same_hop()
    {
        _hop.Script = (session, heard) => session == 1 && heard == "." ? ScriptedHop.Silence : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "slow@x.test");
        await _hop.UntilAsync(hop => hop.Count(".") == 1);
        await bench.SubmitAsync(2, "fast@x.test");
        Assert.Equal("<fast@x.test>", (await bench.SettledAsync(1))[0].Recipient);
    }

    [Fact]
    public async Task An_idle_connection_is_closed_with_QUIT_after_its_time()
    {
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        await bench.Clock.RunOutAsync(bench.Options.Relay.IdleTimeout);
        await _hop.UntilAsync(hop => hop.Open == 0);
        Assert.Equal(1, _hop.Count("QUIT"));
    }

    [Fact]
    public async Task A_report_nobody_can_take_is_given_up_without_a_report_about_it()
    {
        _hop.Script = (_, heard) => heard.StartsWith("RCPT", StringComparison.Ordinal) ? "550 5.1.1 No such user" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal(["<a@x.test> Failed: 550 5.1.1 No such user", "<jane@acme.test> Failed: 550 5.1.1 No such user"],
            await bench.OutcomesAsync(2));
        Assert.Equal(1, _hop.Count("MAIL FROM:<>"));
        Assert.Equal(0, (await bench.Spool.TotalsAsync(TestContext.Current.CancellationToken)).Messages);
    }

    [Fact]
    public async Task A_message_from_the_null_path_is_never_reported_on()
    {
        _hop.Script = (_, heard) => heard.StartsWith("RCPT", StringComparison.Ordinal) ? "550 5.1.1 No such user" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        var record = Record("a@x.test");
        await bench.SubmitAsync(1, record with { Envelope = record.Envelope with { ReversePath = ReversePath.Null } });
        await bench.SettledAsync(1);
        Assert.Equal(0, (await bench.Spool.TotalsAsync(TestContext.Current.CancellationToken)).Messages);
    }
}
