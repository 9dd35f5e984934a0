using System.Collections.Concurrent;
using System.Net;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Sending;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Sending;

/// <summary>The breaker: what it lets go, whom it stops, and what it remembers.</summary>
public sealed class BreakerTests : IAsyncDisposable
{
    private static readonly IPAddress Cafe = IPAddress.Parse("198.51.100.7");

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 25, 8, 0, 0, TimeSpan.Zero));
    private readonly MemoryStore _store;
    private readonly RecordingLog _log = new();
    private readonly WriteBehindBuffer _journal;
    private BreakerOptions _options = new();

    public BreakerTests()
    {
        _store = new MemoryStore(_clock);
        _journal = new WriteBehindBuffer(_store.Facts, _log, _clock);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _journal.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task A_stolen_login_is_stopped_and_another_is_not()
    {
        var breaker = await LoadAsync();
        Trip? told = null;
        breaker.Tripped = trip => told = trip;
        for (var i = 0; i < 40; i++)
        {
            Assert.Null(breaker.Judge(Facts("jane", sample: $"u{i}@example.com")));
        }

        const string reason = "stopped by the breaker at 2026-11-25 08:00Z: 41 first contacts within an hour, 40 are let go";
        Assert.Equal(reason, breaker.Judge(Facts("jane", sample: "u40@example.com")));
        Assert.Equal(reason, breaker.Judge(Facts("jane", first: 0)));
        Assert.Null(breaker.Judge(Facts("bob")));
        Assert.Equal(
            new MailEvent.BreakerTripped("jane", "198.51.100.7", "first_contacts_per_hour", 41, 40, 0, reason),
            Assert.Single(_log.Events));
        Assert.Equal(("jane", "198.51.100.7"), (told!.Login, Assert.Single(told.Networks)));
        Assert.Equal("u40@example.com", told.Recipients[^1]);
        Assert.Equal(["jane"], breaker.Trips.Select(trip => trip.Login));
    }

    [Fact]
    public async Task A_message_with_more_new_people_than_are_left_is_held_whole()
    {
        var breaker = await LoadAsync();
        Assert.Null(breaker.Judge(Facts("jane", first: 30)));
        Assert.NotNull(breaker.Judge(Facts("jane", first: 100)));
    }

    [Fact]
    public async Task No_number_of_sessions_lets_more_go_than_one()
    {
        var breaker = await LoadAsync();
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 60].List[1, 60], Gen.Int[1, 6])
            .Sample((sessions, sizes, networks) => ReleasedAtMostTheLimit(breaker, sessions, sizes, networks), iter: 300, threads: 1);
    }

    private bool ReleasedAtMostTheLimit(Breaker breaker, int sessions, List<int> sizes, int networks)
    {
        var login = Guid.NewGuid().ToString();
        var released = 0;
        var messages = new ConcurrentQueue<int>(sizes);
        Parallel.For(0, sessions, session =>
        {
            while (messages.TryDequeue(out var size))
            {
                var client = IPAddress.Parse($"198.51.{session % networks}.7");
                if (breaker.Judge(Facts(login, first: size) with { Client = client }) is null)
                {
                    Interlocked.Add(ref released, size);
                }
            }
        });

        // A message that is one too many stops the rest, so all went or one was held.
        return released <= 40 && (released == sizes.Sum() || breaker.StateOf(login, []).Trip is not null);
    }

    [Fact]
    public async Task A_trip_survives_a_restart_and_its_release_too()
    {
        var breaker = await LoadAsync();
        breaker.Judge(Facts("jane", first: 41));
        await _journal.FlushAsync();
        var again = await LoadAsync();
        Assert.Equal(breaker.Trips[0].Reason, again.Judge(Facts("jane", first: 0)));
        Assert.False(again.Resume("bob", false));
        Assert.True(again.Resume("JANE", false));
        Assert.False(again.Resume("jane", false));
        Assert.Null(again.Judge(Facts("jane", first: 40)));
        await _journal.FlushAsync();
        Assert.NotNull((await LoadAsync()).Judge(Facts("jane", first: 1)));
    }

    [Fact]
    public async Task All_that_are_stopped_are_let_go_at_once()
    {
        var breaker = await LoadAsync();
        breaker.Judge(Facts("jane", first: 41));
        breaker.Judge(Facts("bob", first: 41));
        Assert.True(breaker.Resume(null, false));
        Assert.Empty(breaker.Trips);
    }

    [Fact]
    public async Task Who_is_trusted_with_what_stopped_him_does_not_stop_at_once_again()
    {
        var breaker = await LoadAsync();
        breaker.Judge(Facts("jane", first: 100));
        breaker.Judge(Facts("jane", first: 100));
        breaker.Resume("jane", trust: true);
        Assert.Null(breaker.Judge(Facts("jane", first: 400)));
        Assert.NotNull(breaker.Judge(Facts("jane", first: 1)));
        breaker.Resume("jane", trust: false);
        _clock.Advance(Breaker.TrustedFor);
        Assert.Null(breaker.StateOf("jane", []).TrustedUntil);
        Assert.NotNull(breaker.Judge(Facts("jane", first: 41)));
    }

    [Fact]
    public async Task A_raised_limit_is_for_the_rate_too()
    {
        var raised = new BreakerLimits(10_000, 10_000, 10_000, 10_000, LearnDays: int.MaxValue);
        _options = new BreakerOptions { For = [new(["news", "group:Marketing"], raised)] };
        var breaker = await LoadAsync();
        for (var i = 0; i < 5000; i++)
        {
            Assert.Null(breaker.Judge(Facts("news")));
            Assert.Null(breaker.Judge(Facts("anna") with { Groups = ["marketing"] }));
        }

        Assert.NotNull(breaker.Judge(Facts("jane", first: 41)));
    }

    [Fact]
    public async Task What_comes_from_a_trusted_network_is_never_held_and_counts_against_nothing()
    {
        var breaker = await LoadAsync();
        for (var i = 0; i < 5000; i++)
        {
            Assert.Null(breaker.Judge(Facts("jane") with { Client = IPAddress.Parse("::ffff:127.0.0.1") }));
        }

        Assert.Null(breaker.Judge(Facts("jane", first: 40)));
        _options = _options with { TrustedNetworks = [] };
        Assert.NotNull(breaker.Judge(Facts("jane") with { Client = IPAddress.Loopback }));
    }

    [Fact]
    public async Task What_is_switched_off_stops_nobody()
    {
        _options = _options with { Enabled = false };
        var breaker = await LoadAsync();
        Assert.Null(breaker.Judge(Facts("jane", first: 5000)));
        Assert.Empty(breaker.StateOf("jane", []).Signs);
    }

    [Fact]
    public async Task A_login_learns_from_its_own_days_and_is_held_to_them()
    {
        var breaker = await LoadAsync();
        for (var day = 0; day < 8; day++)
        {
            for (var hour = 0; hour < 3; hour++)
            {
                Assert.Null(breaker.Judge(Facts("jane", first: hour)));
                _clock.Advance(TimeSpan.FromHours(1));
            }

            _clock.Advance(TimeSpan.FromHours(21));
        }

        Assert.Null(breaker.Judge(Facts("jane", first: 0)));
        var usual = breaker.StateOf("jane", []).Usual;
        Assert.Equal((8, 1, 2), (usual.Days, usual.PeakHour.Messages, usual.PeakHour.FirstTimeRecipients));
        await _journal.FlushAsync();
        var again = await LoadAsync();
        Assert.Equal(usual, again.StateOf("jane", []).Usual);
        Assert.Null(again.Judge(Facts("jane", first: 20)));
        Assert.NotNull(again.Judge(Facts("jane", first: 1)));
    }

    [Fact]
    public async Task Who_is_stopped_cannot_fill_the_disk_with_what_is_held()
    {
        var breaker = await LoadAsync();
        Assert.NotNull(breaker.Judge(Facts("jane", first: 41)));
        Assert.True(breaker.HasRoomFor("jane", []));
        breaker.Judge(Facts("jane") with { Bytes = Breaker.HeldBytesMax });
        Assert.False(breaker.HasRoomFor("jane", []));
        Assert.True(breaker.HasRoomFor("bob", []));
        Assert.True(breaker.Resume("jane", trust: false));
        Assert.True(breaker.HasRoomFor("jane", []));
        Assert.NotNull(breaker.Judge(Facts("jane", first: 41)));
        for (var i = 1; i < Breaker.HeldMessagesMax; i++)
        {
            Assert.True(breaker.HasRoomFor("jane", []));
            breaker.Judge(Facts("jane"));
        }

        Assert.False(breaker.HasRoomFor("jane", []));
        _options = _options with { Enabled = false };
        Assert.True(breaker.HasRoomFor("jane", []));
    }

    [Fact]
    public async Task Recipients_that_fail_are_told_by_the_relay_and_stop_the_next_message()
    {
        var breaker = await LoadAsync();
        Assert.Null(breaker.Judge(Facts("jane", first: 20)));
        for (var i = 0; i < 15; i++)
        {
            Assert.Null(breaker.Settled("jane", RecipientState.Failed));
        }

        Assert.Null(breaker.Settled("", RecipientState.Failed));
        Assert.Null(breaker.Settled("nobody", RecipientState.Failed));
        Assert.Contains("15 of 15 recipients failed within a day", breaker.Judge(Facts("jane", first: 0)));
        Assert.Equal("jane", breaker.Settled("jane", RecipientState.Due)!.Login);
    }

    [Fact]
    public async Task What_is_stored_is_read_by_every_later_release()
    {
        var value = """
            {"hour":[],"day":[],"outcomes":[],"usual":{"days":9,"peak_hour":{"messages":3,"recipients":4,"first_time_recipients":2,"bytes":9,
            "connections":0},"peak_day":{"messages":5,"recipients":6,"first_time_recipients":3,"bytes":9,"connections":0},"messages_mean":1.5,
            "recipients_mean":2},"day_number":739944,"today":{"messages":1,"recipients":1,"first_time_recipients":0,"bytes":9,"connections":0},
            "peak_today":{"messages":1,"recipients":1,"first_time_recipients":0,"bytes":9,"connections":0},"hours_today":1,
            "trip":{"login":"jane","at":"2026-11-24T08:00:00+00:00","sign":"first_contacts_per_hour","reason":"stopped","count":41,"allowed":40,
            "usual":2,"client":"198.51.100.7","networks":["198.51.100.7"],"recipients":["a@example.com"]},
            "trusted":{"messages":9,"recipients":9,"first_time_recipients":9,"bytes":0,"connections":0},
            "trusted_until":"2026-12-24T08:00:00+00:00"}
            """;
        await _store.Facts.SaveAsync(
            [new FactChange.Put(new Fact(FactKind.Baseline, "jane", Encoding.UTF8.GetBytes(value.ReplaceLineEndings("")), null))], Cancel);
        var breaker = await LoadAsync();
        var state = breaker.StateOf("jane", []);
        Assert.Equal(("stopped", 41, "a@example.com"), (state.Trip!.Reason, state.Trip.Count, state.Trip.Recipients[0]));
        Assert.Equal((9, 2, 2.0), (state.Usual.Days, state.Usual.PeakHour.FirstTimeRecipients, state.Usual.RecipientsMean));
        Assert.Equal(new DateTimeOffset(2026, 12, 24, 8, 0, 0, TimeSpan.Zero), state.TrustedUntil);
        Assert.Equal("stopped", breaker.Judge(Facts("jane")));
    }

    private SendingFacts Facts(string login, int first = 1, string? sample = null) => new(
        login, [], Cafe, _clock.GetUtcNow(), Math.Max(1, first), first, 1000,
        new SendingActivity(default, default, default, default, 1, 0, true))
    { Sample = sample is null ? [] : [sample] };

    private async ValueTask<Breaker> LoadAsync() => await Breaker.LoadAsync(_store.Facts, _journal, _log, _clock, () => _options, Cancel);
}
