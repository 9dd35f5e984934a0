using System.Globalization;
using System.Net;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.Offline;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Sallyport.Tests.Store;
using Sallyport.Tests.Tidy;
using Xunit;

namespace Sallyport.Tests.Server.State;

/// <summary>What a store of schema 2 remembers is taken over: nothing that was forbidden is allowed after an upgrade, and no count is lost.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class TakenOverStateTests : IDisposable
{
    private static readonly IPAddress Cafe = IPAddress.Parse("198.51.100.7");
    private static readonly IPAddress Office = IPAddress.Parse("192.0.2.7");

    private readonly StoreFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 25, 8, 0, 0, TimeSpan.Zero));
    private readonly RecordingLog _log = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private long Ticks => _time.GetUtcNow().UtcTicks;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_kind_of_fact_goes_on_where_it_was()
    {
        var (second, minute, quarter) = (Ticks / TimeSpan.TicksPerSecond, Ticks / TimeSpan.TicksPerMinute, Ticks / (15 * TimeSpan.TicksPerMinute));
        CreateSchema2();
        Fact(1, "198.51.100.7", """
            {"network":"198.51.100.7","since":"2026-11-25T07:00:00+00:00","until":"2026-11-25T09:00:00+00:00","count":1,
            "by":"guard","why":"w"}
            """);
        Fact(2, "login\njane", """{"at":["2026-11-25T07:59:00.25+00:00","2026-11-25T07:59:30+00:00"]}""");
        Fact(2, "origin\njane\n203.0.113.9", """{"at":["2026-11-25T07:59:00.25+00:00","2026-11-25T07:59:30+00:00"]}""");
        Fact(2, "network\n203.0.113.9", "{damaged");
        Fact(3, "jane\n192.0.2.7", """{"first":"2026-11-01T08:00:00+00:00","last":"2026-11-25T07:00:00+00:00"}""");
        Fact(5, "jane\nk7f3x2", """{"label":"phone","created_at":"2026-11-24T08:00:00+00:00","networks":[],"senders":[],"digest":"AAECAw=="}""");
        Fact(5, "jane\nk7f3x2\nused", """{"at":"2026-11-24T09:00:00+00:00","from":"192.0.2.9"}""");
        Fact(6, "jane\ninfo@acme.test", """{"to":"jane","as":"info@acme.test","created_at":"2026-11-24T08:00:00+00:00"}""");
        Fact(7, "login:bob", $$"""
            {"minute":[[{{second - 5}},1,2,1,900,1]],"hour":[[{{minute - 5}},3,4,2,1900,2]],"day":[[{{quarter - 4}},5,6,3,2900,3]],
            "networks":{"192.0.2.9":{{_time.GetUtcNow().ToUnixTimeSeconds() - 60}} } }
            """);
        Fact(10, "eve", """{"login":"eve","since":"2026-11-25T07:00:00+00:00","until":null,"why":"stolen"}""");
        Fact(11, "site\njane\n192.0.2.7", """
            {"login":"jane","addresses":["jane@acme.test"],"groups":[],"at":"2026-11-25T07:00:00+00:00","iterations":4096,
            "salt":"AAEC","stored_key":"AwQ=","server_key":"BQY="}
            """);
        Fact(12, "names.nsf\njane", """{"of":"AAEC","iterations":4096,"salt":"AAEC","stored_key":"AwQ=","server_key":"BQY="}""");
        var opened = _time.GetUtcNow().AddDays(-1).ToUnixTimeMilliseconds();
        Fact(8, "bob\n" + opened.ToString("x12", CultureInfo.InvariantCulture), "\u0001ABCDEFGH");
        await using var store = await _folder.OpenAsync(Cancel, _time);
        await using var books = await LoadAsync(store);
        Assert.NotNull(books.Guard.RefusalAtConnect(Cafe));
        Assert.Equal(2, (await store.Site().Counters.ListAsync(CounterKind.LoginFailures, "login\njane", Cancel)).Count);
        Assert.Equal(1795593540250, (await store.Site().Counters.ListAsync(CounterKind.LoginFailures, "origin", Cancel))[0].Bucket);
        books.Guard.Ban(Office, TimeSpan.FromHours(1));
        Assert.IsType<GuardVerdict.Ask>(books.Guard.Before("jane", Office, "x")); // known from there
        var phone = books.AppPasswords.Find("k7f3x2")!;
        Assert.Equal(("phone", "192.0.2.9"), (phone.Label, books.AppPasswords.LastUse(phone)!.From));
        Assert.Equal("info@acme.test", Assert.Single(books.Grants.All).As);
        Assert.Equal("stolen", books.Suspensions.Find("eve")!.Why);
        Assert.NotNull(books.Outages.Find(new OutageKey("site", "jane", Office), TimeSpan.FromDays(1), _time.GetUtcNow())!.Verifier);
        Assert.NotNull(await store.Site().Registry.FindAsync(RegistryKind.Rehash, "names.nsf\njane", Cancel));
        var ledger = await UsageLedger.LoadAsync(books.State, _time, Cancel);
        await ledger.LoadContactsAsync("bob");
        var bob = ledger.ActivityOf("bob");
        Assert.Equal((1, 3, 5, 2900, 3), (bob.Minute.Messages, bob.Hour.Messages, bob.Day.Messages, bob.Day.Bytes, bob.Day.Connections));
        Assert.Equal((1, 1), (bob.Networks, bob.Contacts));
        Assert.Equal([BitConverter.ToUInt64("ABCDEFGH"u8)], (await store.Site().Contacts.ListAsync("bob", 0, Cancel)).Segments[0].Hashes);
        Assert.Empty(_log.Events.OfType<MailEvent.Problem>());
        Assert.Empty(_folder.Query("SELECT name FROM sqlite_master WHERE name LIKE '%fact%'"));
        _time.Advance(TimeSpan.FromHours(26));
        Assert.Equal(0, ledger.ActivityOf("bob").Day.Messages);
    }

    [Fact]
    public async Task Who_was_stopped_stays_stopped_until_resumed_for_good()
    {
        CreateSchema2();
        Fact(9, "jane", Pattern("", """
            "trip":{"login":"jane","at":"2026-11-24T08:00:00+00:00","sign":"first_contacts_per_hour","reason":"stopped","count":41,"allowed":40,
            "usual":2,"client":"198.51.100.7","networks":["198.51.100.7"],"recipients":["a@example.com"]},
            """));
        await using (var store = await _folder.OpenAsync(Cancel, _time))
        {
            await using var books = await LoadAsync(store);
            var breaker = await BreakerAsync(books);
            Assert.Equal("stopped", Assert.Single(breaker.Trips).Reason);
            Assert.True(breaker.Resume("jane", trust: false));
        }

        await using var again = await _folder.OpenAsync(Cancel, _time);
        await using var later = await LoadAsync(again);
        Assert.Empty((await BreakerAsync(later)).Trips);
    }

    [Fact]
    public async Task What_the_breaker_had_counted_and_learned_counts_on()
    {
        var (minute, quarter) = (Ticks / TimeSpan.TicksPerMinute, Ticks / (15 * TimeSpan.TicksPerMinute));
        CreateSchema2();
        Fact(9, "jane", Pattern($$"""
            "hour":[[{{minute - 5}},3,30,25,900,0]],"day":[[{{quarter - 1}},3,30,25,900,0]],"outcomes":[[{{quarter - 1}},20,5,0,0,0]],
            "day_number":{{Ticks / TimeSpan.TicksPerDay}},
            "today":{"messages":7,"recipients":70,"first_time_recipients":25,"bytes":900,"connections":0},
            "peak_today":{"messages":4,"recipients":40,"first_time_recipients":25,"bytes":900,"connections":0},"hours_today":3,
            """, ""));
        await using var store = await _folder.OpenAsync(Cancel, _time);
        await using var books = await LoadAsync(store);
        var breaker = await BreakerAsync(books);
        var state = breaker.StateOf("jane", []);
        Assert.Equal((25, 3, 5), (state.Hour.FirstTimeRecipients, state.Day.Messages, state.Signs[^1].Count));
        _time.Advance(TimeSpan.FromDays(1));
        await books.State.FlushAsync();
        var usual = breaker.StateOf("jane", []).Usual;
        Assert.Equal((10, 4, 40, 7), (usual.Days, usual.PeakHour.Messages, usual.PeakHour.Recipients, usual.PeakDay.Messages));
        Assert.Equal(1.5 + (0.1 * ((7.0 / 3) - 1.5)), usual.MessagesMean, 9);
    }

    private static string Pattern(string counts, string rest) => ("{" + counts + rest + """
        "usual":{"days":9,"peak_hour":{"messages":3,"recipients":4,"first_time_recipients":2,"bytes":9,"connections":0},
        "peak_day":{"messages":5,"recipients":6,"first_time_recipients":3,"bytes":9,"connections":0},"messages_mean":1.5,"recipients_mean":2}
        """ + (counts.Length > 0 ? "}" : ""","hour":[],"day":[],"outcomes":[],"day_number":0,"hours_today":0}""")).ReplaceLineEndings("");

    private void CreateSchema2()
    {
        Directory.CreateDirectory(_folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var version in (int[])[1, 2])
        {
            _folder.Query(SourceTree.Read($"src/Sallyport.Store/Sqlite/schema-{version}.sql") + $"PRAGMA user_version = {version}");
        }
    }

    private void Fact(int kind, string key, string value)
    {
        var expires = (_time.GetUtcNow().AddDays(30) - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        _folder.Query(string.Create(CultureInfo.InvariantCulture,
            $"INSERT INTO fact VALUES ({kind}, CAST(x'{Hex(key)}' AS TEXT), x'{Hex(value.ReplaceLineEndings(""))}', {expires})"));
    }

    private static string Hex(string text) => Convert.ToHexString(Encoding.UTF8.GetBytes(text));

    private ValueTask<IdentityBooks> LoadAsync(IStore store) =>
        IdentityBooks.LoadAsync(store, new OptionsInForce(), _log, _time, Cancel);

    private async Task<Breaker> BreakerAsync(IdentityBooks books) => await Breaker.LoadAsync(
        books.State, await UsageLedger.LoadAsync(books.State, _time, Cancel), new TripQueue(), _log, _time, new OptionsInForce(), Cancel);
}
