using Sallyport.Mail.Addressing;
using Sallyport.Mail.Relaying;
using Sallyport.Server.Configuration;
using Sallyport.Server.Relay;
using Sallyport.Server.Routing;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Relay;

/// <summary>The relay follows plans that change, expire, fail and take their time; a planner by recipient domain shows it.</summary>
public sealed class RelayPlanTests : IAsyncDisposable
{
    private readonly WatchedClock _clock = new(Now);
    private readonly FakePlanner _planner;
    private readonly ScriptedHop _hop = new();
    private readonly ScriptedHop _second = new();
    private readonly DeadHost _dead = new();

    public RelayPlanTests() => _planner = new FakePlanner(_clock);

    public async ValueTask DisposeAsync()
    {
        _dead.Dispose();
        await _hop.DisposeAsync();
        await _second.DisposeAsync();
    }

    [Fact]
    public async Task A_plan_is_followed_as_long_as_it_is_valid_and_the_next_one_after_that()
    {
        _planner.Answer(_ => _planner.To(_hop.Address) with { ValidUntil = Now + TimeSpan.FromSeconds(4) });
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        _planner.Answer(_ => _planner.To(_second.Address));
        bench.Pass(TimeSpan.FromSeconds(3));
        await bench.SubmitAsync(2, "a@x.test");
        await bench.SettledAsync(2);
        Assert.Equal((2, 0), (_hop.Messages.Length, _second.Messages.Length));
        bench.Pass(TimeSpan.FromSeconds(1));
        await bench.SubmitAsync(3, "a@x.test");
        Assert.Equal(_second.Address.ToString(), (await bench.SettledAsync(3))[2].NextHop);
    }

    [Fact]
    public async Task One_plan_serves_all_messages_that_wait_for_it()
    {
        var known = new TaskCompletionSource<RoutePlan>();
        _planner.Plan = (_, _) => new(known.Task);
        await using var bench = Bench();
        for (var i = 1; i <= 20; i++)
        {
            await bench.SubmitAsync(i, "a@x.test");
        }

        known.SetResult(_planner.To(_hop.Address));
        await bench.SettledAsync(20);
        Assert.Equal(1, _planner.Asked);
    }

    [Fact]
    public async Task A_plan_that_fails_for_now_defers_and_the_message_goes_once_it_is_known()
    {
        _planner.Answer(_ => _planner.NotNow());
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal((RecipientState.Due, RelayFailure.ResolverUnavailable, "451 4.4.3 No answer from DNS", 1),
            (settled.State, settled.Cause, settled.Reply, settled.Attempts));
        _planner.Answer(_ => _planner.To(_hop.Address));
        await bench.PassToAsync(settled);
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(2))[1].State);
    }

    [Fact]
    public async Task A_plan_that_fails_for_good_fails_the_recipient_and_tells_the_sender()
    {
        _planner.Answer(domain => domain == "x.test" ? _planner.Never() : _planner.To(_hop.Address));
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test", "b@y.test");
        var settled = await bench.SettledAsync(3);
        Assert.Equal((RecipientState.Failed, RelayFailure.Unresolvable, "550 5.1.2 No such domain"),
            settled.Where(one => one.Recipient == "<a@x.test>").Select(one => (one.State, one.Cause, one.Reply)).Single());
        Assert.Equal("failed", (await bench.Log.FindAsync<MailEvent.ReportKept>()).Kind);
    }

    [Fact]
    public async Task A_plan_that_does_not_come_defers_after_a_while()
    {
        _planner.Plan = (_, cancel) => new(new TaskCompletionSource<RoutePlan>().Task.WaitAsync(cancel));
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test");
        await _clock.RunOutAsync(PlanCache.AnswerMax);
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal((RecipientState.Due, RelayFailure.ResolverUnavailable), (settled.State, settled.Cause));
    }

    [Fact]
    public async Task A_planner_that_throws_defers_and_says_so()
    {
        _planner.Plan = (_, _) => throw new InvalidOperationException("something is broken");
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test");
        var settled = (await bench.SettledAsync(1))[0];
        Assert.Equal((RecipientState.Due, RelayFailure.InternalError), (settled.State, settled.Cause));
        Assert.Contains("something is broken", settled.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_plan_holds_up_no_other_destination_and_no_stop()
    {
        _planner.Plan = (domain, cancel) => domain == "slow.test"
            ? new(new TaskCompletionSource<RoutePlan>().Task.WaitAsync(cancel))
            : ValueTask.FromResult<RoutePlan>(_planner.To(_hop.Address));
        await using (var bench = Bench())
        {
            for (var i = 1; i <= 10; i++)
            {
                await bench.SubmitAsync(i, "a@slow.test");
            }

            for (var i = 11; i <= 20; i++)
            {
                await bench.SubmitAsync(i, "b@fast.test");
            }

            Assert.All(await bench.SettledAsync(10), settled => Assert.Equal("<b@fast.test>", settled.Recipient));
            await bench.Relay.DisposeAsync();
            Assert.Equal(RecipientState.Due, (await bench.FindAsync(1))!.Recipients[0].State);
        }
    }

    [Fact]
    public async Task Hosts_are_asked_by_preference_and_those_of_one_preference_keep_a_connection_that_is_open()
    {
        _planner.Answer(_ => _planner.To(
            [FakePlanner.Host(_dead.Address, 10), FakePlanner.Host(_hop.Address, 20), FakePlanner.Host(_second.Address, 20)]));
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        _planner.Answer(_ => _planner.To([FakePlanner.Host(_second.Address, 20), FakePlanner.Host(_hop.Address, 20)]));
        bench.Relay.ForgetFailures(); // and the plan is asked for anew
        await bench.SubmitAsync(2, "a@x.test");
        await bench.SettledAsync(2);
        Assert.Equal((2, 1, 0), (_hop.Messages.Length, _hop.Sessions, _second.Sessions));
        _planner.Answer(_ => _planner.To([FakePlanner.Host(_second.Address, 10), FakePlanner.Host(_hop.Address, 20)]));
        bench.Relay.ForgetFailures();
        await bench.SubmitAsync(3, "a@x.test");
        await bench.SettledAsync(3);
        Assert.Equal((2, 1), (_hop.Messages.Length, _second.Messages.Length));
    }

    [Fact]
    public async Task Each_host_has_its_own_demand_of_TLS_and_is_reached_by_address_under_its_name()
    {
        using var ca = new TemporaryFile();
        _second.Certificate = HopCertificate.For("mx.x.test", ca.Path);
        _planner.Answer(_ => _planner.To(
            [
                FakePlanner.Host(_hop.Address, 10, tls: RelayTls.Verify), // offers no STARTTLS
                FakePlanner.Host(_second.Address, 20, "mx.x.test", RelayTls.Verify, ca.Path),
            ]));
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal($"mx.x.test:{_second.Address.Port}", (await bench.SettledAsync(1))[0].NextHop);
        Assert.Equal(0, _hop.Count("MAIL"));
    }

    [Fact]
    public async Task A_connection_that_proved_less_than_the_new_plan_demands_is_not_used_again()
    {
        using var ca = new TemporaryFile();
        _hop.Certificate = HopCertificate.For("127.0.0.1", ca.Path);
        _planner.Answer(_ => _planner.To([FakePlanner.Host(_hop.Address, 10, tls: RelayTls.Encrypt)]));
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        _planner.Answer(_ => _planner.To([FakePlanner.Host(_hop.Address, 10, tls: RelayTls.Verify, authorities: ca.Path)]));
        bench.Relay.ForgetFailures();
        await bench.SubmitAsync(2, "a@x.test");
        await bench.SettledAsync(2);
        Assert.Equal((2, 2), (_hop.Sessions, _hop.Messages.Length));
    }

    [Fact]
    public async Task Destinations_share_what_is_known_of_a_host()
    {
        _planner.Answer(_ => _planner.To(_dead.Address));
        await using var bench = Bench();
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal(1, (await bench.SettledAsync(1))[0].Attempts);
        await bench.SubmitAsync(2, "b@y.test");
        var other = (await bench.SettledAsync(2))[1];
        Assert.Equal((0, RelayFailure.ConnectionRefused), (other.Attempts, other.Cause)); // known to be down: not tried
    }

    [Fact]
    public async Task What_a_host_says_about_one_routes_login_does_not_stop_another_route()
    {
        using var ca = new TemporaryFile();
        _hop.Certificate = HopCertificate.For("127.0.0.1", ca.Path);
        _hop.Extensions = ["AUTH PLAIN"];
        _hop.Script = (_, command) => command.StartsWith("AUTH", StringComparison.Ordinal) ? "535 5.7.8 Wrong" : null;
        var route = RelayBench.To(_hop) with { Tls = RelayTls.Verify, TlsCa = ca.Path };
        await using var bench = new RelayBench(route with { Recipients = ["x.test"], Login = "jane", Password = "wrong" }, route);
        await bench.SubmitAsync(1, "a@x.test");
        Assert.Equal(RelayFailure.CredentialsRejected, (await bench.SettledAsync(1))[0].Cause);
        await bench.SubmitAsync(2, "b@y.test");
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(2))[1].State);
        await bench.SubmitAsync(3, "c@x.test");
        Assert.Equal(0, (await bench.SettledAsync(3))[2].Attempts);
    }

    /// <summary>One destination for each domain and one host for each: nothing of it may stay.</summary>
    [Fact]
    public async Task Ten_thousand_domains_leave_nothing_in_memory()
    {
        var known = false;
        _planner.Answer(domain => known ? _planner.Never() : _planner.To([FakePlanner.Host(_dead.Address, 10, "mx." + domain)]));
        await using var bench = Bench(options => options with { Relay = options.Relay with { IdleTimeout = TimeSpan.Zero } });
        for (var i = 1; i <= 100; i++)
        {
            var record = Record([.. Enumerable.Range(0, 100).Select(n => $"a@d{n}.m{i}.test")]);
            await bench.SubmitAsync(i, record with { Envelope = record.Envelope with { ReversePath = ReversePath.Null } });
        }

        await bench.Log.UntilAsync(events => events.Length >= 10_000);
        Assert.All(bench.Log.Settled, settled => Assert.Equal(RelayFailure.ConnectionRefused, settled.Cause));
        Assert.Equal(10_000, bench.Relay.Known.Hosts);
        known = true;
        bench.Pass(TimeSpan.FromSeconds(70)); // the second attempt fails for good
        await bench.Log.UntilAsync(events => events.Length >= 20_000);
        Assert.All(bench.Log.Settled.Skip(10_000), settled => Assert.Equal(RecipientState.Failed, settled.State));
        await RelayBench.UntilAsync(() => { }, () => bench.Relay.Known.Destinations == 0);
        await RelayBench.UntilAsync(() => bench.Pass(HostRegistry.UnusedMax), () => bench.Relay.Known == (0, 0));
    }

    [Fact]
    public void The_registry_of_hosts_is_bounded_and_forgets_those_without_a_connection_first()
    {
        var hosts = new HostRegistry(() => new(), _clock);
        HostKey open = new("open.test", 25);
        Assert.True(hosts.TryReserve());
        hosts.Opened(open);
        for (var i = 0; i < HostRegistry.HostsMax + 100; i++)
        {
            hosts.Busy(new HostKey($"mx{i}.test", 25));
        }

        Assert.InRange(hosts.Count, 1, HostRegistry.HostsMax);
        Assert.Equal(1, hosts.Connections(open));
        hosts.Closed(open);
        _clock.Advance(HostRegistry.UnusedMax);
        hosts.Sweep();
        Assert.Equal(0, hosts.Count);
    }

    [Fact]
    public async Task All_connections_together_stay_below_the_limit_of_the_process()
    {
        _planner.Answer(domain => _planner.To(domain == "x.test" ? _hop.Address : _second.Address));
        await using var bench = Bench(options => options with { Relay = options.Relay with { ConnectionsMax = 1 } });
        await bench.SubmitAsync(1, "a@x.test");
        await bench.SettledAsync(1);
        await bench.SubmitAsync(2, "b@y.test");
        var waits = (await bench.SettledAsync(2))[1];
        Assert.Equal((RecipientState.Due, 0, RelayFailure.WaitsForRoom), (waits.State, waits.Attempts, waits.Cause));
        Assert.Equal(0, _second.Sessions);
        await bench.Log.UntilAsync(_ => bench.IsQuiet());
        await _clock.ArmedAsync(bench.Options.Relay.IdleTimeout);
        bench.Pass(bench.Options.Relay.IdleTimeout);
        await _hop.UntilAsync(hop => hop.Open == 0);
        bench.Pass(TimeSpan.FromSeconds(2)); // as much later as the message may come, so that not all come at once
        Assert.Equal(RecipientState.Relayed, (await bench.SettledAsync(3))[2].State);
    }

    private RelayBench Bench(Func<ServerOptions, ServerOptions>? change = null) => new(
        _clock, _planner, spool => spool, change ?? (options => options), new RouteOptions { Recipients = ["*"], Tls = RelayTls.None });
}
