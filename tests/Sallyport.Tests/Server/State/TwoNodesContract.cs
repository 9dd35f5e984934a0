using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Guard;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Grants;
using Sallyport.Server.Identity.Offline;
using Sallyport.Server.Sending;
using Sallyport.Server.State;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Sallyport.Tests.Server.Sending;
using Sallyport.Tests.Store;
using Xunit;

namespace Sallyport.Tests.Server.State;

/// <summary>Two nodes of a site on one open store: what one decides the other honours within a second, and no count is lost.</summary>
public abstract class TwoNodesContract : IAsyncLifetime
{
    private static readonly IPAddress Cafe = IPAddress.Parse("198.51.100.7");
    private static readonly IPAddress Office = IPAddress.Parse("192.0.2.7");

    private readonly RecordingLog _log = new();
    private IStore _store = null!;
    private Node _a = null!;
    private Node _b = null!;

    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 25, 8, 0, 0, TimeSpan.Zero));

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected abstract Task<IStore> OpenAsync();

    public virtual async ValueTask InitializeAsync()
    {
        _store = await OpenAsync();
        var nodes = await Task.WhenAll(Node.OpenAsync(_store, _log, Time), Node.OpenAsync(_store, _log, Time));
        (_a, _b) = (nodes[0], nodes[1]);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Two_nodes_that_start_together_have_the_same_keys()
    {
        var (one, other) = (_a.Books.State.Keys, _b.Books.State.Keys);
        Assert.True(one.DecoySalt.Span.SequenceEqual(other.DecoySalt.Span));
        Assert.True(one.AppPasswords.Span.SequenceEqual(other.AppPasswords.Span));
        Assert.True(one.Contacts.Span.SequenceEqual(other.Contacts.Span));
    }

    [Fact]
    public async Task An_app_password_made_on_one_node_is_good_on_the_other_until_it_is_revoked()
    {
        var digest = _a.Books.AppPasswords.Digest("SECRET");
        var password = new AppPassword("jane", "k7f3x2", "phone", Time.GetUtcNow(), null) { Digest = digest };
        Assert.True(await _a.Books.AppPasswords.AddAsync(password, 10, Time.GetUtcNow(), Cancel));
        await SecondAsync();
        Assert.Equal("k7f3x2", _b.Books.AppPasswords.FindBySecret("SECRET")!.Id);
        _b.Books.AppPasswords.Used(_b.Books.AppPasswords.FindBySecret("SECRET")!, Office, Time.GetUtcNow());
        await SecondAsync();
        Assert.Equal("192.0.2.7", _a.Books.AppPasswords.LastUse(password)!.From);
        Assert.Single(await _a.Books.AppPasswords.RevokeAsync("jane", null, Cancel));
        _b.Books.AppPasswords.Used(password, Cafe, Time.GetUtcNow().AddHours(1)); // late, and brings nothing back
        await SecondAsync();
        Assert.Null(_b.Books.AppPasswords.FindBySecret("SECRET"));
        Assert.Empty(_b.Books.AppPasswords.Of("jane"));
    }

    [Fact]
    public async Task A_login_suspended_on_one_node_may_not_send_on_the_other_until_it_is_resumed()
    {
        await _a.Books.Suspensions.SuspendAsync("jane", null, "stolen", Cancel);
        await SecondAsync();
        Assert.Equal("stolen", _b.Books.Suspensions.Find("jane")!.Why);
        Assert.True(await _b.Books.Suspensions.ResumeAsync("jane", Cancel));
        await SecondAsync();
        Assert.Null(_a.Books.Suspensions.Find("jane"));
    }

    [Fact]
    public async Task A_grant_given_on_one_node_counts_on_the_other_until_it_is_withdrawn()
    {
        Assert.True(await _a.Books.Grants.AddAsync(new StoredGrant("jane", "info@acme.test", Time.GetUtcNow()), Cancel));
        Assert.False(await _b.Books.Grants.AddAsync(new StoredGrant("jane", "info@acme.test", Time.GetUtcNow()), Cancel)); // the store knows
        Assert.Single(_b.Books.Grants.All); // and so does it now
        Assert.True(await _b.Books.Grants.RemoveAsync("jane", "info@acme.test", Cancel));
        await SecondAsync();
        Assert.Empty(_a.Books.Grants.All);
    }

    [Fact]
    public async Task A_network_banned_on_one_node_stays_out_of_the_other_until_the_ban_is_lifted()
    {
        _a.Books.Guard.Ban(Cafe, TimeSpan.FromHours(1));
        await SecondAsync();
        Assert.NotNull(_b.Books.Guard.RefusalAtConnect(Cafe));
        Assert.True(_b.Books.Guard.Unban(Cafe));
        await SecondAsync();
        Assert.Null(_a.Books.Guard.RefusalAtConnect(Cafe));
    }

    [Fact]
    public async Task Failed_logins_on_both_nodes_add_up_to_one_ban()
    {
        var options = new GuardOptions();
        for (var i = 0; i < options.FailuresPerNetwork; i++)
        {
            Fail(i % 2 == 0 ? _a : _b, $"user{i}", Cafe, $"wrong{i}");
            await SecondAsync();
        }

        Assert.NotNull(_a.Books.Guard.RefusalAtConnect(Cafe));
        Assert.NotNull(_b.Books.Guard.RefusalAtConnect(Cafe));
        Assert.Single(_b.Books.Guard.Bans());
    }

    [Fact]
    public async Task A_login_forgiven_on_one_node_is_forgiven_on_the_other()
    {
        var limit = new GuardOptions().FailuresPerLoginAndNetwork;
        for (var i = 0; i < limit; i++)
        {
            Fail(_a, "jane", Office, $"wrong{i}");
        }

        await SecondAsync();
        Assert.IsType<GuardVerdict.NotNow>(_b.Books.Guard.Before("jane", Office, "right"));
        _a.Books.Guard.Forget("jane");
        await SecondAsync();
        Assert.IsType<GuardVerdict.Ask>(_b.Books.Guard.Before("jane", Office, "right"));
        Assert.Equal(TimeSpan.Zero, _b.Books.Guard.After("jane", Office, "right", LoginOutcome.Right));
        await SecondAsync();
        _a.Books.Guard.Ban(Office, TimeSpan.FromHours(1));
        Assert.IsType<GuardVerdict.Ask>(_a.Books.Guard.Before("jane", Office, "again")); // known from there, by the other node
    }

    [Fact]
    public async Task What_both_nodes_send_counts_against_one_limit_and_none_of_it_is_lost()
    {
        var jane = LedgerBench.Login("jane", LedgerBench.Each((SendingMeasure.Messages, SendingWindow.Hour, 6)));
        for (var i = 0; i < 3; i++)
        {
            Assert.Null(_a.Send(jane, $"a{i}@acme.test").Reached);
            Assert.Null(_b.Send(jane, $"b{i}@acme.test").Reached);
        }

        await SecondAsync();
        await SecondAsync();
        Assert.Equal((6L, 6L), (_a.Ledger.ActivityOf("jane").Hour.Messages, _b.Ledger.ActivityOf("jane").Hour.Messages));
        Assert.NotNull(_a.Send(jane, "c@acme.test").Reached);
        Assert.NotNull(_b.Send(jane, "c@acme.test").Reached);
        _a.Ledger.Reset("login:jane");
        await SecondAsync();
        Assert.Null(_b.Send(jane, "c@acme.test").Reached);
    }

    [Fact]
    public async Task Counts_that_meet_on_their_way_are_added_up()
    {
        var jane = LedgerBench.Login("jane");
        for (var round = 1; round <= 20; round++)
        {
            _a.Send(jane, "a@acme.test");
            await Task.WhenAll(_a.Books.State.FlushAsync(), _b.Books.State.FlushAsync());
            _b.Send(jane, "b@acme.test");
            _a.Send(jane, "c@acme.test");
        }

        await SecondAsync();
        await SecondAsync();
        Assert.Equal((60L, 60L), (_a.Ledger.ActivityOf("jane").Day.Messages, _b.Ledger.ActivityOf("jane").Day.Messages));
    }

    [Fact]
    public async Task A_login_stopped_on_one_node_is_held_on_the_other_until_it_is_resumed()
    {
        var jane = LedgerBench.Login("jane");
        Assert.Null(_a.Send(jane, Strangers("a", 30)).Held);
        await SecondAsync();
        Assert.NotNull(_b.Send(jane, Strangers("b", 11)).Held); // with those of the other node it is one too many
        await SecondAsync();
        Assert.Equal(_b.Breaker.Trips[0].Reason, _a.Send(jane, "colleague@acme.test").Held);
        Assert.True(_a.Breaker.Resume("jane", trust: false));
        await SecondAsync();
        Assert.Empty(_b.Breaker.Trips);
        Assert.Null(_b.Send(jane, Strangers("c", 40)).Held);
    }

    [Fact]
    public async Task Both_nodes_learn_the_same_usual_from_what_both_let_pass()
    {
        var jane = LedgerBench.Login("jane");
        for (var day = 0; day < 3; day++)
        {
            _a.Send(jane, "a@acme.test", "b@acme.test");
            _b.Send(jane, "c@acme.test");
            await SecondAsync();
            Time.Advance(TimeSpan.FromDays(1));
            await SecondAsync();
        }

        var (one, other) = (_a.Breaker.StateOf("jane", []).Usual, _b.Breaker.StateOf("jane", []).Usual);
        Assert.Equal((3, 2L, 3L), (one.Days, one.PeakHour.Messages, one.PeakDay.Recipients));
        Assert.Equal(one, other);
    }

    [Fact]
    public async Task Whom_one_node_has_seen_written_to_is_not_new_to_the_other()
    {
        var jane = LedgerBench.Login("jane");
        await _b.Ledger.LoadContactsAsync("jane");
        _a.Send(jane, "a@example.com");
        await SecondAsync();
        Time.Advance(TimeSpan.FromMinutes(1));
        await _b.Ledger.LoadContactsAsync("jane");
        _b.Send(jane, "a@example.com", "b@example.com");
        await SecondAsync();
        Assert.Equal(2, _b.Ledger.ActivityOf("jane").Day.FirstTimeRecipients);
    }

    [Fact]
    public async Task A_password_refused_on_one_node_is_no_stand_in_on_the_other()
    {
        var (key, hour) = (new OutageKey("site", "jane", Office), TimeSpan.FromHours(1));
        var entry = new DirectoryEntry("jane", "site", ["jane@acme.test"], []);
        await _a.Books.Outages.SucceededAsync(key, "own", entry, hour, Time.GetUtcNow());
        await SecondAsync();
        Assert.NotNull(_b.Books.Outages.Find(key, hour, Time.GetUtcNow())!.Verifier);
        await _b.Books.Outages.RefusedAsync("site", "jane", "own");
        await SecondAsync();
        Assert.Null(_a.Books.Outages.Find(key, hour, Time.GetUtcNow()));
    }

    [Fact]
    public async Task A_node_that_was_away_for_days_forgets_what_was_removed_meanwhile()
    {
        await _a.Books.Grants.AddAsync(new StoredGrant("jane", "info@acme.test", Time.GetUtcNow()), Cancel);
        await SecondAsync();
        Assert.Single(_b.Books.Grants.All);
        await _store.Site().Registry.WriteAsync([new RegistryWrite(RegistryKind.Grant, "jane\ninfo@acme.test", null, null)], Cancel);
        var follower = await RegistryFollower.OpenAsync(new LateSite(_store.Site(), 1), _log, Cancel);
        var grants = new Held("jane\ninfo@acme.test");
        await follower.JoinAsync(grants, Cancel);
        Time.Advance(IRegistry.RemovalsKnownFor);
        await _store.Site().Registry.SweepAsync(Cancel);
        await follower.PollAsync(static (_, _) => false);
        Assert.Empty(grants.Keys);
    }

    /// <summary>A second passes on both nodes.</summary>
    private async Task SecondAsync()
    {
        Time.Advance(SiteState.Interval);
        await _a.Books.State.FlushAsync();
        await _b.Books.State.FlushAsync();
        await _a.Books.State.FlushAsync();
    }

    private static string[] Strangers(string prefix, int count) => [.. Enumerable.Range(0, count).Select(i => $"{prefix}{i}@example.com")];

    private static void Fail(Node node, string login, IPAddress from, string secret)
    {
        var name = $"{login} {secret}";
        if (node.Books.Guard.Before(login, from, name) is GuardVerdict.Ask)
        {
            node.Books.Guard.After(login, from, name, LoginOutcome.Wrong);
        }
    }

    /// <summary>All owners of shared state as a server has them.</summary>
    private sealed record Node(IdentityBooks Books, UsageLedger Ledger, Breaker Breaker) : IAsyncDisposable
    {
        public static async Task<Node> OpenAsync(IStore store, RecordingLog log, TimeProvider time)
        {
            var site = new OptionsInForce();
            var books = await IdentityBooks.LoadAsync(store, site, log, time, default);
            var ledger = await UsageLedger.LoadAsync(books.State, time, default);
            return new Node(books, ledger, await Breaker.LoadAsync(books.State, ledger, new TripQueue(), log, time, site, default));
        }

        public (LimitReached? Reached, string? Held) Send(SendingLogin login, params string[] to)
        {
            Ledger.LoadContactsAsync(login.Login).AsTask().GetAwaiter().GetResult();
            var reached = Ledger.TryBegin(login, 0, out var message);
            foreach (var recipient in to)
            {
                reached ??= message!.AddRecipient(LedgerBench.Mailbox(recipient));
            }

            if (reached is not null)
            {
                message?.Release();
                return (reached, null);
            }

            var held = message!.ShouldHold(Breaker, Cafe, []);
            message.Committed(held is not null);
            return (null, held);
        }

        public ValueTask DisposeAsync() => Books.DisposeAsync();
    }

    private sealed class Held(params ImmutableArray<string> keys) : IRegistryHolder
    {
        private readonly HashSet<string> _keys = [.. keys];

        public RegistryKind Kind => RegistryKind.Grant;

        public IReadOnlyCollection<string> Keys => _keys;

        public void Apply(RegistryEntry entry)
        {
            if (entry.Value is null)
            {
                _keys.Remove(entry.Key);
            }
        }
    }

    /// <summary>A site as it was long ago.</summary>
    private sealed class LateSite(ISiteStore site, long cursor) : ISiteStore, IRegistry
    {
        private bool _opened;

        public string Name => site.Name;

        public IAccounts Accounts => site.Accounts;

        public ISiteKeys Keys => site.Keys;

        public IRegistry Registry => this;

        public ICounters Counters => site.Counters;

        public IContacts Contacts => site.Contacts;

        public ValueTask<RegistryEntry?> FindAsync(RegistryKind kind, string key, CancellationToken cancel) =>
            site.Registry.FindAsync(kind, key, cancel);

        public ValueTask<IReadOnlyList<RegistryEntry>> ListAsync(RegistryKind kind, string keyPrefix, CancellationToken cancel) =>
            site.Registry.ListAsync(kind, keyPrefix, cancel);

        public ValueTask<long> CursorAsync(CancellationToken cancel)
        {
            var first = !_opened;
            _opened = true;
            return first ? ValueTask.FromResult(cursor) : site.Registry.CursorAsync(cancel);
        }

        public ValueTask<RegistryChanges> ChangesSinceAsync(long since, int entriesMax, CancellationToken cancel) =>
            site.Registry.ChangesSinceAsync(since, entriesMax, cancel);

        public ValueTask<RegistryResult> WriteAsync(IReadOnlyList<RegistryWrite> writes, CancellationToken cancel) =>
            site.Registry.WriteAsync(writes, cancel);

        public ValueTask<int> SweepAsync(CancellationToken cancel) => site.Registry.SweepAsync(cancel);
    }
}

/// <summary>The contract of two nodes on the in-memory store.</summary>
public sealed class TwoNodesInMemoryTests : TwoNodesContract
{
    protected override Task<IStore> OpenAsync() => Task.FromResult<IStore>(new MemoryStore(Time));
}

/// <summary>The contract of two nodes on SQLite.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class TwoNodesOnSqliteTests : TwoNodesContract
{
    private readonly StoreFolder _folder = new();

    protected override async Task<IStore> OpenAsync() => await _folder.OpenAsync(Cancel, Time);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}
