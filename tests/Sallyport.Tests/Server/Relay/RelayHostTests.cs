using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Sallyport.Server.Relay;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>Which host is asked, how often, and over how many connections.</summary>
public sealed class RelayHostTests : IAsyncDisposable
{
    private readonly ScriptedHop _hop = new();
    private readonly ScriptedHop _second = new();
    private readonly DeadHost _dead = new();

    public async ValueTask DisposeAsync()
    {
        _dead.Dispose();
        await _hop.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task A_host_that_is_down_defers_with_the_reason_and_the_message_goes_when_it_is_up()
    {
        await using var bench = new RelayBench(RelayBench.To(_dead.Address));
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal(RecipientState.Due, settled.State);
        Assert.Equal($"451 4.4.1 Cannot reach {_dead.Address}: Connection refused", settled.Reply);
        Assert.Equal(1, settled.Attempts);
    }

    [Fact]
    public async Task Smarthosts_are_asked_in_order_and_a_dead_one_is_left_alone_for_a_while()
    {
        await using var bench = new RelayBench(RelayBench.To(_dead.Address, _hop.Address, _second.Address) with { ConnectionsMax = 1 });
        for (var i = 1; i <= 5; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
        }

        Assert.All(await bench.SettledAsync(5), settled => Assert.Equal(_hop.Address.ToString(), settled.NextHop));
        Assert.Equal((1, 0), (_hop.Sessions, _second.Sessions));
    }

    [Fact]
    public async Task The_preferred_host_is_asked_again_when_it_may_be_back()
    {
        var down = true;
        _hop.Script = (_, command) => command == "connect" && down ? "554 5.3.2 Not now" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop, _second) with { ConnectionsMax = 1 });
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        down = false;
        await bench.SubmitAsync(2, "a@x.test");
        await bench.SettledAsync(2);
        bench.Pass(TimeSpan.FromSeconds(15)); // a quarter of the first retry
        await bench.SubmitAsync(3, "a@x.test");
        Assert.Equal(new[] { _second.Address, _second.Address, _hop.Address }.Select(host => host.ToString()),
            (await bench.SettledAsync(3)).Select(settled => settled.NextHop));
    }

    [Theory]
    [InlineData("connect", "554 5.3.2 Not for you")]
    [InlineData("connect", "421 4.3.2 Too busy")]
    [InlineData("connect", ScriptedHop.Drop)]
    [InlineData("EHLO", "421 4.3.2 Too busy")]
    [InlineData("EHLO", "451 4.3.0 Not now")]
    public async Task A_host_that_refuses_us_before_any_message_gives_its_turn_to_the_next_and_bounces_nothing(string command, string reply)
    {
        _hop.Script = (_, heard) => heard.StartsWith(command, StringComparison.Ordinal) ? reply : null;
        await using (var bench = new RelayBench(RelayBench.To(_hop, _second)))
        {
            await bench.SubmitAsync(1, "a@x.test");
            Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(1))[0].State);
        }

        await using var alone = new RelayBench(RelayBench.To(_hop));
        await alone.SubmitAsync(1, "a@x.test");
        var settled = (await alone.SettledAsync(1))[0];
        Assert.Equal(RecipientState.Due, settled.State);
        Assert.Contains(reply == ScriptedHop.Drop ? "closed the connection" : reply, settled.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_every_host_is_down_a_queue_of_many_costs_one_attempt_and_each_keeps_its_count()
    {
        await using var bench = new RelayBench(RelayBench.To(_dead.Address) with { ConnectionsMax = 1 });
        for (var i = 1; i <= 20; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
        }

        var settled = await bench.SettledAsync(20);
        Assert.All(settled, one => Assert.Equal(RecipientState.Due, one.State));
        Assert.Equal(1, settled.Sum(one => one.Attempts));
        Assert.All(settled, one => Assert.Contains("Connection refused", one.Reply, StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_connection_serves_many_messages_and_is_changed_after_so_many()
    {
        await using var bench = new RelayBench(
            options => options with { Relay = options.Relay with { MessagesPerConnection = 4 } }, RelayBench.To(_hop) with { ConnectionsMax = 1 });
        for (var i = 1; i <= 10; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
        }

        await bench.SettledAsync(10);
        Assert.Equal([4, 4, 2], _hop.Messages.CountBy(message => message.Session).OrderBy(pair => pair.Key).Select(pair => pair.Value));
        Assert.Equal(2, _hop.Count("QUIT"));
    }

    [Fact]
    public async Task The_hops_own_limit_of_messages_is_kept()
    {
        _hop.Extensions = ["PIPELINING", "LIMITS MAILMAX=2"];
        await using var bench = new RelayBench(RelayBench.To(_hop) with { ConnectionsMax = 1 });
        for (var i = 1; i <= 4; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
        }

        await bench.SettledAsync(4);
        Assert.Equal([2, 2], _hop.Messages.CountBy(message => message.Session).Select(pair => pair.Value));
    }

    [Fact]
    public async Task A_connection_the_hop_closed_while_idle_is_nobodys_fault()
    {
        _hop.Script = (session, command) => session == 1 && _hop.Messages.Length == 1 && command.StartsWith("MAIL", StringComparison.Ordinal)
            ? ScriptedHop.Drop
            : null;
        await using var bench = new RelayBench(RelayBench.To(_hop, _second) with { ConnectionsMax = 1 });
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        await bench.SubmitAsync(2, "a@x.test");
        Assert.Equal(_hop.Address.ToString(), (await bench.SettledAsync(2))[1].NextHop);
        Assert.Equal((2, 0), (_hop.Sessions, _second.Sessions));
    }

    [Fact]
    public async Task Connections_grow_with_success_to_the_routes_limit()
    {
        var gate = new TaskCompletionSource();
        var grown = new TaskCompletionSource();
        var ends = 0;
        _hop.Before = command => command != "." ? Task.CompletedTask : Interlocked.Increment(ref ends) <= 30 ? gate.Task : grown.Task;
        await using var bench = new RelayBench(RelayBench.To(_hop) with { ConnectionsMax = 7 });
        for (var i = 1; i <= 60; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
        }

        await _hop.UntilAsync(hop => hop.Open == 5);
        gate.SetResult();
        await _hop.UntilAsync(hop => hop.Open == 7);
        grown.SetResult();
        await bench.SettledAsync(60);
        Assert.Equal(7, _hop.Sessions);
    }

    [Fact]
    public void Concurrency_grows_by_one_for_a_round_of_successes_and_halves_at_a_failure()
    {
        var concurrency = new ConcurrencyLimiter();
        Assert.Equal(5, concurrency.Limit(20));
        for (var i = 0; i < 6; i++)
        {
            concurrency.Succeeded(20);
        }

        Assert.Equal(6, concurrency.Limit(20));
        for (var i = 0; i < 1000; i++)
        {
            concurrency.Succeeded(20);
        }

        Assert.Equal(20, concurrency.Limit(20));
        var limits = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            concurrency.Failed();
            limits.Add(concurrency.Limit(20));
        }

        Assert.Equal([10, 5, 2, 1, 1, 1], limits);
        Assert.Equal(3, new ConcurrencyLimiter().Limit(3));
    }

    [Fact]
    public void A_host_is_left_alone_for_a_time_that_grows_to_a_minute_and_a_success_clears_it()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Now);
        var hosts = new HostRegistry(() => new(), clock);
        var way = new NextHop(1, RelayBench.To(_hop));
        HostKey key = new("mx.test", 25);
        bool IsUp() => hosts.DownUntil(key, way) <= clock.GetUtcNow();
        Assert.True(IsUp());
        foreach (var seconds in (int[])[15, 30, 60, 60, 60])
        {
            hosts.Failed(key, way, Why("down"));
            hosts.Failed(key, way, Why("found out by another connection"));
            clock.Advance(TimeSpan.FromSeconds(seconds - 1));
            Assert.False(IsUp());
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.True(IsUp());
        }

        hosts.Failed(key, way, Why("down"));
        Assert.Equal("451 down", hosts.LastFailure(key, way)!.Reply.ToString());
        hosts.Succeeded(key, way);
        Assert.True(IsUp());
        Assert.Null(hosts.LastFailure(key, way));
    }

    [Fact]
    public async Task A_store_that_fails_stops_the_relay_of_the_message_and_says_so()
    {
        var gate = new TaskCompletionSource();
        _hop.Before = command => command == "." ? gate.Task : Task.CompletedTask;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test");
        await _hop.UntilAsync(hop => hop.Count(".") == 1);
        bench.Store.Faults.FailNextCommit = true;
        Assert.IsType<CommitResult.StoreFailed>(await bench.Spool.KeepAsync(2, Record("a@x.test"), []));
        gate.SetResult();
        Assert.Contains("the store failed", (await bench.Log.FindAsync<MailEvent.Problem>()).What, StringComparison.Ordinal);
        Assert.Empty(bench.Log.Settled);
    }

    private static HostFailure Why(string text) => new(RelayFailure.Unreachable, new Reply(451, null, text));
}
