using System.Collections.Concurrent;
using System.Net;
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
    private readonly SiteState _state;
    private readonly Dictionary<Breaker, UsageLedger> _ledgers = [];
    private readonly OptionsInForce _site = new();
    private readonly TripQueue _trips = new();
    private int _people;

    public BreakerTests()
    {
        _store = new MemoryStore(_clock);
        _state = _store.StateAsync(_log, _clock).AsTask().GetAwaiter().GetResult();
    }

    private BreakerOptions Options
    {
        get => _site.Options.Breaker;
        set => _site.Options = _site.Options with { Breaker = value };
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _state.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task A_stolen_login_is_stopped_and_another_is_not()
    {
        var breaker = await LoadAsync();
        for (var i = 0; i < 40; i++)
        {
            Assert.Null(Send(breaker, "jane", sample: $"u{i}@example.com"));
        }

        const string reason = "stopped by the breaker at 2026-11-25 08:00Z: 41 first contacts within an hour, 40 are let go";
        Assert.Equal(reason, Send(breaker, "jane", sample: "u40@example.com"));
        Assert.Equal(reason, Send(breaker, "jane", first: 0));
        Assert.Null(Send(breaker, "bob"));
        Assert.Equal(
            new MailEvent.BreakerTripped("jane", "198.51.100.7", "first_contacts_per_hour", 41, 40, 0, reason),
            Assert.Single(_log.Events));
        var told = await FirstTripAsync();
        Assert.Equal(("jane", "198.51.100.7"), (told.Login, Assert.Single(told.Networks)));
        Assert.Equal("u40@example.com", told.Recipients[^1]);
        Assert.Equal(["jane"], breaker.Trips.Select(trip => trip.Login));
    }

    [Fact]
    public async Task A_message_with_more_new_people_than_are_left_is_held_whole()
    {
        var breaker = await LoadAsync();
        Assert.Null(Send(breaker, "jane", first: 30));
        Assert.NotNull(Send(breaker, "jane", first: 100));
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
                if (Send(breaker, login, first: size, client: client) is null)
                {
                    Interlocked.Add(ref released, size);
                }
            }
        });

        // A message that is one too many stops the rest, so all went or one was held.
        return released <= 40 && (released == sizes.Sum() || breaker.StateOf(login, []).Trip is not null);
    }

    [Fact]
    public async Task Messages_the_store_did_not_take_count_for_nothing()
    {
        var breaker = await LoadAsync();
        for (var i = 0; i < 10; i++)
        {
            var message = Begin(breaker, "jane", first: 10, [], 1000);
            Assert.Null(message.ShouldHold(breaker, Cafe, []));
            message.Release();
        }

        Assert.Equal(default, breaker.StateOf("jane", []).Day);
        Assert.Equal(default, _ledgers[breaker].ActivityOf("jane").Day);
        Assert.Null(Send(breaker, "jane", first: 40));
        Assert.Equal(40, breaker.StateOf("jane", []).Day.FirstTimeRecipients);
    }

    [Fact]
    public async Task What_waits_for_its_commit_counts_for_other_sessions()
    {
        var breaker = await LoadAsync();
        var slow = Begin(breaker, "jane", first: 30, [], 1000);
        Assert.Null(slow.ShouldHold(breaker, Cafe, []));
        Assert.NotNull(Send(breaker, "jane", first: 11));
        slow.Release();
        breaker.Resume("jane", trust: false);
        Assert.Null(Send(breaker, "jane", first: 40));
    }

    [Fact]
    public async Task Held_mail_counts_for_the_limits_and_not_as_sent()
    {
        var breaker = await LoadAsync();
        Assert.NotNull(Send(breaker, "jane", first: 41));
        Assert.Equal(default, breaker.StateOf("jane", []).Day);
        Assert.Equal(41, _ledgers[breaker].ActivityOf("jane").Day.Recipients);
    }

    [Fact]
    public async Task A_trip_survives_a_restart_and_its_release_too()
    {
        var breaker = await LoadAsync();
        Send(breaker, "jane", first: 41);
        await _state.FlushAsync();
        var again = await LoadAsync();
        Assert.Equal(breaker.Trips[0].Reason, Send(again, "jane", first: 0));
        Assert.False(again.Resume("bob", false));
        Assert.True(again.Resume("JANE", false));
        Assert.False(again.Resume("jane", false));
        Assert.Null(Send(again, "jane", first: 40));
        await _state.FlushAsync();
        Assert.NotNull(Send(await LoadAsync(), "jane", first: 1));
    }

    [Fact]
    public async Task All_that_are_stopped_are_let_go_at_once()
    {
        var breaker = await LoadAsync();
        Send(breaker, "jane", first: 41);
        Send(breaker, "bob", first: 41);
        Assert.True(breaker.Resume(null, false));
        Assert.Empty(breaker.Trips);
    }

    [Fact]
    public async Task Who_is_trusted_with_what_stopped_him_does_not_stop_at_once_again()
    {
        var breaker = await LoadAsync();
        Send(breaker, "jane", first: 100);
        Send(breaker, "jane", first: 100);
        breaker.Resume("jane", trust: true);
        Assert.Null(Send(breaker, "jane", first: 400));
        Assert.NotNull(Send(breaker, "jane", first: 1));
        breaker.Resume("jane", trust: false);
        _clock.Advance(Breaker.TrustedFor);
        Assert.Null(breaker.StateOf("jane", []).TrustedUntil);
        Assert.NotNull(Send(breaker, "jane", first: 41));
    }

    [Fact]
    public async Task A_raised_limit_is_for_the_rate_too()
    {
        var raised = new BreakerLimits(10_000, 10_000, 10_000, 10_000, LearnDays: int.MaxValue);
        Options = new BreakerOptions { For = [new(["news", "group:Marketing"], raised)] };
        var breaker = await LoadAsync();
        for (var i = 0; i < 5000; i++)
        {
            Assert.Null(Send(breaker, "news"));
            Assert.Null(Send(breaker, "anna", groups: ["marketing"]));
        }

        Assert.NotNull(Send(breaker, "jane", first: 41));
    }

    [Fact]
    public async Task What_comes_from_a_trusted_network_is_never_held_and_counts_against_nothing()
    {
        var breaker = await LoadAsync();
        for (var i = 0; i < 5000; i++)
        {
            Assert.Null(Send(breaker, "jane", client: IPAddress.Parse("::ffff:127.0.0.1")));
        }

        Assert.Null(Send(breaker, "jane", first: 40));
        Options = Options with { TrustedNetworks = [] };
        Assert.NotNull(Send(breaker, "jane", client: IPAddress.Loopback));
    }

    [Fact]
    public async Task What_is_switched_off_stops_nobody()
    {
        Options = Options with { Enabled = false };
        var breaker = await LoadAsync();
        Assert.Null(Send(breaker, "jane", first: 5000));
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
                Assert.Null(Send(breaker, "jane", first: hour));
                _clock.Advance(TimeSpan.FromHours(1));
            }

            _clock.Advance(TimeSpan.FromHours(21));
        }

        Assert.Null(Send(breaker, "jane", first: 0));
        var usual = breaker.StateOf("jane", []).Usual;
        Assert.Equal((8, 1, 2), (usual.Days, usual.PeakHour.Messages, usual.PeakHour.FirstTimeRecipients));
        await _state.FlushAsync();
        var again = await LoadAsync();
        Assert.Equal(usual, again.StateOf("jane", []).Usual);
        Assert.Null(Send(again, "jane", first: 20));
        Assert.NotNull(Send(again, "jane", first: 1));
    }

    [Fact]
    public async Task Who_is_stopped_cannot_fill_the_disk_with_what_is_held()
    {
        var breaker = await LoadAsync();
        Assert.NotNull(Send(breaker, "jane", first: 41));
        Assert.True(breaker.HasRoomFor("jane", []));
        Send(breaker, "jane", bytes: Breaker.HeldBytesMax);
        Assert.False(breaker.HasRoomFor("jane", []));
        Assert.True(breaker.HasRoomFor("bob", []));
        Assert.True(breaker.Resume("jane", trust: false));
        Assert.True(breaker.HasRoomFor("jane", []));
        Assert.NotNull(Send(breaker, "jane", first: 41));
        for (var i = 1; i < Breaker.HeldMessagesMax; i++)
        {
            Assert.True(breaker.HasRoomFor("jane", []));
            Send(breaker, "jane");
        }

        Assert.False(breaker.HasRoomFor("jane", []));
        Options = Options with { Enabled = false };
        Assert.True(breaker.HasRoomFor("jane", []));
    }

    [Fact]
    public async Task Recipients_that_fail_are_told_by_the_relay_and_stop_the_next_message()
    {
        var breaker = await LoadAsync();
        Assert.Null(Send(breaker, "jane", first: 20));
        for (var i = 0; i < 15; i++)
        {
            Assert.Null(breaker.Settled("jane", RecipientState.Failed));
        }

        Assert.Null(breaker.Settled("", RecipientState.Failed));
        Assert.Null(breaker.Settled("nobody", RecipientState.Failed));
        Assert.Contains("15 of 15 recipients failed within a day", Send(breaker, "jane", first: 0));
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
        await _store.PutAsync(RegistryKind.Baseline, "jane", value.ReplaceLineEndings(""));
        var breaker = await LoadAsync();
        var state = breaker.StateOf("jane", []);
        Assert.Equal(("stopped", 41, "a@example.com"), (state.Trip!.Reason, state.Trip.Count, state.Trip.Recipients[0]));
        Assert.Equal((9, 2, 2.0), (state.Usual.Days, state.Usual.PeakHour.FirstTimeRecipients, state.Usual.RecipientsMean));
        Assert.Equal(new DateTimeOffset(2026, 12, 24, 8, 0, 0, TimeSpan.Zero), state.TrustedUntil);
        Assert.Equal("stopped", Send(breaker, "jane"));
    }

    /// <summary>One message that is kept. Null when it went out; else why it is held.</summary>
    private string? Send(
        Breaker breaker, string login, int first = 1, string? sample = null, IPAddress? client = null, string[]? groups = null,
        long bytes = 1000)
    {
        var message = Begin(breaker, login, first, groups ?? [], bytes);
        var reason = message.ShouldHold(breaker, client ?? Cafe, sample is null ? [] : [sample]);
        message.Committed(held: reason is not null);
        return reason;
    }

    private SendingTransaction Begin(Breaker breaker, string login, int first, string[] groups, long bytes)
    {
        var ledger = _ledgers[breaker];
        ledger.LoadContactsAsync(login).AsTask().GetAwaiter().GetResult();
        Assert.Null(ledger.TryBegin(new SendingLogin(login, [.. groups], ["acme.test"], []), 0, out var message));
        for (var i = 0; i < Math.Max(1, first); i++)
        {
            var mailbox = first == 0 ? "colleague@acme.test" : $"u{Interlocked.Increment(ref _people)}@example.com";
            Assert.Null(message!.AddRecipient(LedgerBench.Mailbox(mailbox)));
        }

        Assert.Null(message!.SetBytes(bytes));
        return message;
    }

    private async Task<Trip> FirstTripAsync()
    {
        await foreach (var (trip, _) in _trips.ReadAllAsync())
        {
            return trip;
        }

        throw new InvalidOperationException("no trip");
    }

    private async ValueTask<Breaker> LoadAsync(SiteState? client = null)
    {
        var state = client ?? _state;
        var ledger = await UsageLedger.LoadAsync(state, _clock, Cancel);
        var breaker = await Breaker.LoadAsync(state, ledger, _trips, _log, _clock, _site, Cancel);
        _ledgers[breaker] = ledger;
        return breaker;
    }
}
