using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Sallyport.Tests.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Sending;

/// <summary>What a trip causes behind the sessions: what waits is held, then told.</summary>
public sealed class TripFollowerTests : IAsyncDisposable
{
    private static readonly Trip Jane = new("jane", Now, "first_contacts_per_hour", "stopped", 41, 40, 0, "192.0.2.7", [], []);

    private readonly MemoryStore _store = new();
    private readonly RecordingLog _log = new();
    private readonly List<(Trip Trip, long Held)> _told = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task What_waits_is_held_and_then_told()
    {
        await _store.Spool.KeepAsync(1, Record("a@example.com") with { Login = "jane" }, []);
        await _store.Spool.KeepAsync(2, Record("b@example.com") with { Login = "bob" }, []);
        await RunAsync(trips => trips.Follow(Jane));
        Assert.Equal([(Jane, 1L)], _told);
        Assert.Equal(["0001"], Ids(await _store.Spool.ListAsync(new QueueFilter(State: RecipientState.Held), Cancel)));
        Assert.Equal(new MailEvent.HeldChanged("held", "jane", 1, 1), Assert.Single(_log.Events));
    }

    [Fact]
    public async Task What_a_next_hop_gave_back_is_held_too_and_told_to_nobody()
    {
        await _store.Spool.KeepAsync(1, Record("a@example.com") with { Login = "jane" }, []);
        await RunAsync(trips =>
        {
            trips.HoldAgain(Jane);
            trips.HoldAgain(Jane);
        });
        Assert.Empty(_told);
        Assert.Equal(1, (await _store.Spool.TotalsAsync(Cancel)).Held);
    }

    [Fact]
    public async Task A_trip_forgiven_meanwhile_holds_nothing()
    {
        await _store.Spool.KeepAsync(1, Record("a@example.com") with { Login = "jane" }, []);
        await RunAsync(trips => trips.HoldAgain(Jane), stopped: false);
        Assert.Equal(1, (await _store.Spool.TotalsAsync(Cancel)).Due);
    }

    [Fact]
    public async Task A_store_in_trouble_stops_no_alert()
    {
        _store.Faults.FailNextCommit = true;
        await _store.Spool.KeepAsync(1, Record("a@example.com"), []);
        await RunAsync(trips => trips.Follow(Jane));
        Assert.Equal([(Jane, 0L)], _told);
        Assert.Contains("could not be held", Assert.IsType<MailEvent.Problem>(Assert.Single(_log.Events)).What);
    }

    private async Task RunAsync(Action<TripQueue> work, bool stopped = true)
    {
        var trips = new TripQueue();
        await using var follower = new TripFollower(trips, _store.Spool, _log, _ => stopped, (trip, held) => _told.Add((trip, held)));
        work(trips);
        follower.Start();
    }
}
