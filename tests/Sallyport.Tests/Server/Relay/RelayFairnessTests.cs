using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>No route, host, or recipient makes others wait for it; a reload and an operator's retry do what they say.</summary>
public sealed class RelayFairnessTests : IAsyncDisposable
{
    private readonly ScriptedHop _hop = new();
    private readonly ScriptedHop _second = new();

    public async ValueTask DisposeAsync()
    {
        await _hop.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task A_stuck_route_leaves_room_for_another_and_its_own_mail_goes_when_it_is_free()
    {
        var stuck = new TaskCompletionSource();
        _hop.Before = command => command == "connect" ? stuck.Task : Task.CompletedTask;
        FaultySpool? spool = null;
        await using var bench = new RelayBench(
            inner => spool = new FaultySpool(inner),
            options => options with { Relay = options.Relay with { MessagesInMemory = 90 } },
            RelayBench.To(_hop) with { Recipients = ["slow.test"], ConnectionsMax = 1 }, RelayBench.To(_second));
        for (var i = 1; i <= 100; i++)
        {
            await bench.KeepDueAsync(i, "a@slow.test");
        }

        for (var i = 101; i <= 120; i++)
        {
            await bench.KeepDueAsync(i, "b@fast.test");
        }

        await _second.UntilAsync(hop => hop.Messages.Length == 20);
        Assert.Contains("mail for other routes goes past it", (await bench.Log.FindAsync<MailEvent.Problem>()).What, StringComparison.Ordinal);
        spool!.OnClaim = () => bench.Log.Write(new MailEvent.Notice("the queue is looked at")); // also behind messages that were sent back
        stuck.SetResult();
        while (bench.Log.Settled.Length < 120)
        {
            await bench.Log.UntilAsync(_ => bench.IsQuiet());
            bench.Pass(TimeSpan.FromSeconds(6));
        }

        Assert.All(await bench.SettledAsync(120), settled => Assert.Equal((RecipientState.Relayed, 1), (settled.State, settled.Attempts)));
    }

    [Fact]
    public async Task A_configuration_read_again_that_leaves_a_route_alone_leaves_its_connection_alone()
    {
        RouteOptions Route() => RelayBench.To(_hop) with { ConnectionsMax = 1 };
        await using var bench = new RelayBench(Route());
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        var added = RelayBench.To(_second) with { Recipients = ["y.test"] };
        bench.Reload(bench.Options with { Routes = [added, Route()] });
        await bench.SubmitAsync(2, "a@x.test");
        await bench.SettledAsync(2);
        Assert.Equal((1, 0), (_hop.Sessions, _hop.Count("QUIT")));
    }

    /// <summary>A few ask whether it is back; the others are not looked at until it is.</summary>
    [Fact]
    public async Task A_backlog_for_a_host_that_is_down_rests_until_it_is_back()
    {
        var down = true;
        _hop.Script = (_, command) => down && command == "connect" ? "554 5.3.2 Not now" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop) with { ConnectionsMax = 1 });
        for (var i = 1; i <= 60; i++)
        {
            await bench.KeepDueAsync(i, "a@x.test");
        }

        var deferred = await bench.SettledAsync(60);
        Assert.Equal(1, deferred.Sum(one => one.Attempts));
        var rest = deferred.Count(one => one.NextAttemptAt >= bench.Clock.GetUtcNow() + ParkedMessages.WaitMin);
        Assert.Equal(60 - 1 - ParkedMessages.ProbesMax, rest);
        await bench.Log.UntilAsync(_ => bench.IsQuiet());
        down = false;
        bench.Pass(TimeSpan.FromSeconds(20));
        Assert.All((await bench.SettledAsync(60 + 60 - 1)).Skip(60), one => Assert.Equal(RecipientState.Relayed, one.State));
    }

    [Fact]
    public async Task A_backlog_whose_route_is_gone_comes_at_once_by_the_new_one()
    {
        _hop.Script = (_, command) => command == "connect" ? "554 5.3.2 Not now" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop) with { ConnectionsMax = 1 });
        for (var i = 1; i <= 60; i++)
        {
            await bench.KeepDueAsync(i, "a@x.test");
        }

        await bench.SettledAsync(60);
        await bench.Log.UntilAsync(_ => bench.IsQuiet());
        bench.Relay.Reload(new RouteTable([RelayBench.To(_second)]));
        await bench.SettledAsync(60 + 60 - 1 - ParkedMessages.ProbesMax);
        Assert.Equal(60 - 1 - ParkedMessages.ProbesMax, _second.Messages.Length);
    }

    [Fact]
    public async Task A_backlog_that_rests_when_the_server_stops_is_due_at_the_next_start()
    {
        _hop.Script = (_, command) => command == "connect" ? "554 5.3.2 Not now" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop) with { ConnectionsMax = 1 });
        for (var i = 1; i <= 60; i++)
        {
            await bench.KeepDueAsync(i, "a@x.test");
        }

        await bench.SettledAsync(60);
        await bench.Log.UntilAsync(_ => bench.IsQuiet());
        await bench.Relay.DisposeAsync();
        var due = await bench.Spool.ClaimDueAsync(bench.Clock.GetUtcNow(), 100, TestContext.Current.CancellationToken);
        Assert.Equal(60 - 1 - ParkedMessages.ProbesMax, due.Count);
    }

    [Fact]
    public void Next_hops_are_equal_when_they_lead_to_the_same_place_in_the_same_way()
    {
        var route = RelayBench.To(new SmarthostAddress("mx.test", 25, false));
        NextHop hop = new(1, route);
        Assert.Equal(hop, new NextHop(2, RelayBench.To(new SmarthostAddress("mx.test", 25, false)) with { Recipients = ["a.test"] }));
        Assert.NotEqual(hop, new NextHop(1, route with { Login = "acme", Password = "x" }));
        Assert.NotEqual(hop, new NextHop(1, route with { Tls = RelayTls.May }));
        Assert.NotEqual(hop, new NextHop(1, RelayBench.To(new SmarthostAddress("mx.test", 26, false))));
    }

    [Fact]
    public async Task A_host_that_takes_so_many_connections_and_no_more_is_not_down()
    {
        _hop.Script = (_, command) => command == "connect" && _hop.Open > 2 ? "421 4.7.0 Too many connections from you" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop, _second));
        var gate = new TaskCompletionSource();
        _hop.Before = command => command == "." ? gate.Task : Task.CompletedTask;
        for (var i = 1; i <= 2; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
            await _hop.UntilAsync(hop => hop.Count("DATA") == i);
        }

        for (var i = 3; i <= 20; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
        }

        await _hop.UntilAsync(hop => hop.Sessions > 2);
        gate.SetResult();
        Assert.All(await bench.SettledAsync(20), settled => Assert.Equal((RecipientState.Relayed, 1), (settled.State, settled.Attempts)));
        Assert.Equal((20, 0), (_hop.Messages.Length, _second.Sessions));
    }

    [Fact]
    public async Task A_refused_recipient_does_not_keep_the_others_from_the_next_host()
    {
        _hop.Script = (_, command) => command switch
        {
            "RCPT TO:<never@x.test>" => "550 5.1.1 No such user",
            "RCPT TO:<b@x.test>" => "421 4.3.2 Going down",
            _ => null,
        };
        await using var bench = new RelayBench(RelayBench.To(_hop, _second));
        await bench.SubmitAsync(1, "a@x.test", "never@x.test", "b@x.test", "c@x.test");
        await bench.SettledAsync(4);
        Assert.Equal(["RCPT TO:<a@x.test>", "RCPT TO:<b@x.test>", "RCPT TO:<c@x.test>"], _second.Messages[0].Rcpt);
        Assert.Contains(bench.Log.Settled, settled => (settled.Recipient, settled.State) == ("<never@x.test>", RecipientState.Failed));
    }

    [Fact]
    public async Task A_host_that_wants_a_login_at_MAIL_is_left_alone_for_a_while()
    {
        _hop.Script = (_, command) => command.StartsWith("MAIL", StringComparison.Ordinal) ? "530 5.7.0 Log in first" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop, _second) with { ConnectionsMax = 1 });
        for (var i = 1; i <= 3; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
            await bench.SettledAsync(i);
        }

        Assert.Equal((1, 3), (_hop.Count("MAIL"), _second.Messages.Length));
    }

    [Fact]
    public async Task A_message_not_tried_is_due_when_its_host_may_be_asked_again()
    {
        using var dead = new DeadHost();
        await using var bench = new RelayBench(RelayBench.To(dead.Address) with { ConnectionsMax = 1 });
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        await bench.SubmitAsync(2, "b@x.test");
        var untried = (await bench.SettledAsync(2))[1];
        Assert.Equal(0, untried.Attempts);
        Assert.InRange(untried.NextAttemptAt!.Value, Now.AddSeconds(15), Now.AddSeconds(17)); // the mark of a quarter of the first retry
    }

    [Fact]
    public async Task An_operators_retry_asks_a_host_that_was_down()
    {
        var down = true;
        _hop.Script = (_, command) => command == "connect" && down ? "554 5.3.2 Not now" : null;
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal(RecipientState.Due, (await bench.SettledAsync(1))[0].State);
        down = false;
        bench.Relay.ForgetFailures();
        await bench.Spool.RetryNowAsync(Id(1), Now, TestContext.Current.CancellationToken);
        bench.Handoff.Wake();
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(2))[1].State);
    }

    [Fact]
    public async Task No_more_recipients_go_in_a_transaction_than_the_next_hop_says_it_takes()
    {
        _hop.Extensions = ["PIPELINING", "LIMITS RCPTMAX=2"];
        await using var bench = new RelayBench(RelayBench.To(_hop));
        await bench.SubmitAsync(1, "a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test");
        Assert.All(await bench.SettledAsync(5), settled => Assert.Equal(RecipientState.Relayed, settled.State));
        Assert.Equal([2, 2, 1], _hop.Messages.Select(message => message.Rcpt.Length));
        Assert.Equal(1, _hop.Sessions);
    }

    [Fact]
    public void Where_a_host_is_full_one_connection_more_is_tried_only_after_a_while()
    {
        var concurrency = new ConcurrencyLimiter();
        concurrency.LimitTo(3);
        for (var i = 0; i < 50; i++)
        {
            concurrency.Succeeded(20);
        }

        Assert.Equal(3, concurrency.Limit(20));
        for (var i = 0; i < 5; i++)
        {
            concurrency.Succeeded(20);
        }

        Assert.Equal(4, concurrency.Limit(20));
    }
}
