using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Server.Sending;
using Sallyport.Server.State;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Server.Sending.LedgerBench;

namespace Sallyport.Tests.Server.Sending;

public sealed class UsageLedgerTests : IAsyncLifetime
{
    private static readonly IPAddress Office = IPAddress.Parse("192.0.2.7");
    private LedgerBench _bench = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private UsageLedger Book => _bench.Book;

    public async ValueTask InitializeAsync() => _bench = await NewAsync();

    public async ValueTask DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public void A_limit_is_reached_and_passes_again_when_it_was_said()
    {
        var jane = Login("jane", Each((SendingMeasure.Messages, SendingWindow.Hour, 3)));
        Assert.Null(_bench.Send(jane, "bob@acme.test"));
        _bench.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(_bench.Send(jane, "bob@acme.test"));
        Assert.Null(_bench.Send(jane, "bob@acme.test"));
        var reached = _bench.Send(jane, "bob@acme.test")!;
        Assert.Equal(("login:jane", 3L, 3L), (reached.Subject, reached.Used, reached.Limit.Allowed));
        Assert.Equal("09:16:00", $"{reached.FreeAt:HH:mm:ss}");
        Assert.Null(_bench.Send(Login("bob", Each((SendingMeasure.Messages, SendingWindow.Hour, 3))), "bob@acme.test"));
        _bench.Clock.SetUtcNow(reached.FreeAt!.Value.AddTicks(-1));
        Assert.NotNull(_bench.Send(jane, "bob@acme.test"));
        _bench.Clock.SetUtcNow(reached.FreeAt!.Value);
        Assert.Null(_bench.Send(jane, "bob@acme.test"));
    }

    [Fact]
    public void What_is_given_back_or_refused_counts_nowhere()
    {
        var jane = Login("jane", Each((SendingMeasure.Messages, SendingWindow.Day, 2), (SendingMeasure.Recipients, SendingWindow.Day, 3)));
        Assert.Null(Book.TryBegin(jane, 5000, out var message));
        Assert.Null(message!.AddRecipient(Mailbox("a@example.com")));
        Assert.Null(message.AddRecipient(Mailbox("A@Example.COM"))); // the same one
        Assert.Equal(new SendingAmount(1, 1, 0, 5000, 0), message.Amount); // nobody is new while the store has not told
        message.Release();
        message.Release();
        Assert.Equal(default, Book.ActivityOf("jane").Day);
        Assert.NotNull(_bench.Send(jane, "a@x.test", "b@x.test", "c@x.test", "d@x.test"));
        Assert.Equal(default, Book.ActivityOf("jane").Day);
        Assert.Null(_bench.Send(jane, "a@x.test", "b@x.test", "c@x.test"));
        Assert.Equal(new SendingAmount(1, 3, 0, 1000, 0), Book.ActivityOf("jane").Day);
    }

    [Fact]
    public async Task A_recipient_is_new_once_and_never_within_the_house()
    {
        await Book.LoadContactsAsync("jane");
        var jane = Login("jane", Each((SendingMeasure.FirstTimeRecipients, SendingWindow.Day, 2)));
        Assert.Null(_bench.Send(jane, "colleague@acme.test", "a@x.test"));
        Assert.Null(_bench.Send(jane, "a@x.test", "b@x.test"));
        Assert.Equal(SendingMeasure.FirstTimeRecipients, _bench.Send(jane, "c@x.test")!.Limit.Measure);
        Assert.Null(_bench.Send(jane, "A@X.test", "b@x.test", "boss@acme.test"));
        Assert.Equal((2L, 2), (Book.ActivityOf("jane").Day.FirstTimeRecipients, Book.ActivityOf("jane").Contacts));
        _bench.Clock.Advance(TimeSpan.FromHours(25));
        Assert.Null(_bench.Send(jane, "c@x.test"));
    }

    [Fact]
    public async Task Whom_a_held_message_would_go_to_has_not_been_written_to()
    {
        await Book.LoadContactsAsync("jane");
        var jane = Login("jane");
        Assert.Null(_bench.Send(jane, 1000, held: true, "a@x.test"));
        Assert.Equal((1L, 0), (Book.ActivityOf("jane").Day.FirstTimeRecipients, Book.ActivityOf("jane").Contacts));
        Assert.Null(_bench.Send(jane, 1000, held: false, "a@x.test"));
        Assert.Equal((2L, 1), (Book.ActivityOf("jane").Day.FirstTimeRecipients, Book.ActivityOf("jane").Contacts));
    }

    [Fact]
    public void A_message_that_is_longer_than_it_said_is_weighed_again()
    {
        var jane = Login("jane", Each((SendingMeasure.Bytes, SendingWindow.Day, 10_000)));
        Assert.Null(_bench.Send(jane, 6000, held: false, "a@x.test"));
        Assert.Equal(SendingMeasure.Bytes, Book.TryBegin(jane, 4001, out _)!.Limit.Measure);
        var reached = _bench.Send(jane, 4001, held: false, "a@x.test")!;
        Assert.Equal((6000L, 4001L, false), (reached.Used, reached.Asked, reached.IsForGood));
        Assert.True(_bench.Send(jane, 10_001, held: false, "a@x.test")!.IsForGood);
        Assert.Null(_bench.Send(jane, 4000, held: false, "a@x.test"));
        Assert.Equal(10_000, Book.ActivityOf("jane").Day.Bytes);
    }

    [Fact]
    public void A_limit_that_is_shared_counts_all_and_of_several_reached_the_longest_is_told()
    {
        Quota[] quotas =
        [
            Quota("group:Staff", true, (SendingMeasure.Messages, SendingWindow.Minute, 2)),
            Quota("*", true, (SendingMeasure.Messages, SendingWindow.Day, 3)),
            Each((SendingMeasure.Messages, SendingWindow.Hour, 100)),
        ];
        Assert.Null(_bench.Send(Login("jane", quotas), "a@x.test"));
        Assert.Null(_bench.Send(Login("bob", quotas), "a@x.test"));
        Assert.Equal("group:staff", _bench.Send(Login("carol", quotas), "a@x.test")!.Subject);
        _bench.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(_bench.Send(Login("carol", quotas), "a@x.test"));
        Assert.Null(_bench.Send(Login("carol", quotas[2]), "a@x.test")); // the site is counted, whatever limits it
        var reached = _bench.Send(Login("jane", quotas), "a@x.test")!;
        Assert.Equal(("site", SendingWindow.Day, 4L), (reached.Subject, reached.Limit.Window, reached.Used));
    }

    [Fact]
    public void Sessions_that_are_open_count_at_once_and_logins_in_their_window()
    {
        var jane = Login("jane", Each((SendingMeasure.Connections, SendingWindow.AtOnce, 2), (SendingMeasure.Connections, SendingWindow.Minute, 3)));
        Assert.Null(Book.TryConnect(jane, Office, out var first));
        Assert.Null(Book.TryConnect(jane, Office, out _));
        Assert.Equal((SendingWindow.AtOnce, null), Limit(Book.TryConnect(jane, Office, out _)));
        first!.End();
        first.End();
        Assert.Null(Book.TryConnect(jane, IPAddress.Parse("2001:db8::1"), out var third));
        third!.End();
        Assert.Equal((SendingWindow.Minute, "08:16:31"), Limit(Book.TryConnect(jane, Office, out _)));
        Assert.Equal((3L, 1L, 2), (Book.ActivityOf("jane").Hour.Connections, Book.ActivityOf("jane").UnderWay.Connections,
            Book.ActivityOf("jane").Networks));
        _bench.Clock.Advance(TimeSpan.FromHours(25));
        Assert.Equal(0, Book.ActivityOf("jane").Networks);
    }

    [Fact]
    public async Task The_monitor_is_told_of_the_message_and_of_what_has_passed()
    {
        await Book.LoadContactsAsync("jane");
        var (jane, monitor) = (Login("jane"), new RecordingMonitor());
        Assert.Null(_bench.Send(jane, "a@x.test")); // nobody asked of it
        Book.TryBegin(jane, 0, out var other);
        other!.AddRecipient(Mailbox("b@x.test"));
        Assert.Null(other.ShouldHold(monitor, Office, []));
        Book.TryBegin(jane, 0, out var mine);
        Assert.All((string[])["a@x.test", "c@x.test", "d@x.test"], to => Assert.Null(mine!.AddRecipient(Mailbox(to))));
        mine!.SetBytes(77);
        Assert.Null(mine.ShouldHold(monitor, Office, ["a@x.test"]));
        var facts = monitor.Asked[^1];
        Assert.Equal(("jane", "staff", "a@x.test"), (facts.Login, facts.Groups.Single(), facts.Sample.Single()));
        Assert.Equal(new SendingAmount(1, 3, 2, 77, 0), facts.Amount);
        Assert.Equal(new SendingAmount(1, 1, 1, 0, 0), facts.Passed.Hour);
        mine.Committed(held: false);
        other.Release();
        Assert.Equal(new SendingAmount(1, 3, 2, 77, 0), Book.PassedOf("jane").Day);
    }

    private sealed class RecordingMonitor : ISendingMonitor
    {
        public List<SendingFacts> Asked { get; } = [];

        public SendingDecision Evaluate(SendingFacts facts)
        {
            Asked.Add(facts);
            return new SendingDecision(null);
        }
    }

    [Fact]
    public async Task Parallel_sessions_pass_a_limit_no_further_than_one()
    {
        var jane = Login("jane", Each((SendingMeasure.Messages, SendingWindow.Hour, 10), (SendingMeasure.Recipients, SendingWindow.Hour, 35)));
        var accepted = 0;
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() =>
        {
            if (_bench.Send(jane, $"a{i}@x.test", $"b{i}@x.test", $"c{i}@x.test") is null)
            {
                Interlocked.Increment(ref accepted);
            }
        })));
        Assert.InRange(accepted, 1, 10);
        Assert.Equal(new SendingAmount(accepted, 3 * accepted, 0, 1000 * accepted, 0), Book.ActivityOf("jane").Hour);
        while (_bench.Send(jane, "z@x.test", "y@x.test", "x@x.test") is null)
        {
            accepted++;
        }

        Assert.Equal(10, accepted);
    }

    [Fact]
    public async Task Counts_contacts_and_networks_outlive_a_restart_and_a_crash_but_for_its_last_second()
    {
        var jane = Login("jane", Each((SendingMeasure.Messages, SendingWindow.Hour, 3), (SendingMeasure.FirstTimeRecipients, SendingWindow.Day, 1)));
        await Book.LoadContactsAsync("jane");
        Book.TryConnect(jane, Office, out _);
        Assert.Null(_bench.Send(jane, "a@x.test"));
        await _bench.RestartAsync();
        await Book.LoadContactsAsync("jane");
        Assert.Equal((1, 0L, 1L), (Book.ActivityOf("jane").Networks, Book.ActivityOf("jane").UnderWay.Connections,
            Book.ActivityOf("jane").Day.Connections));
        Assert.NotNull(_bench.Send(jane, "b@x.test"));
        Assert.Null(_bench.Send(jane, "a@x.test"));
        await _bench.State.FlushAsync();
        await _bench.RestartAsync(crash: true);
        await Book.LoadContactsAsync("jane");
        Assert.Null(_bench.Send(jane, "a@x.test"));
        Assert.Equal(SendingMeasure.Messages, _bench.Send(jane, "a@x.test")!.Limit.Measure);
    }

    [Fact]
    public async Task Who_is_idle_is_let_go_and_comes_back_from_the_store()
    {
        var jane = Login("jane");
        await Book.LoadContactsAsync("jane");
        Assert.Null(_bench.Send(jane, "a@x.test"));
        await _bench.State.FlushAsync();
        _bench.Clock.Advance(TimeSpan.FromHours(26));
        await _bench.State.FlushAsync();
        Assert.Equal((0, false), (Book.ActivityOf("jane").Contacts, Book.ActivityOf("jane").ContactsLoaded));
        await Book.LoadContactsAsync("jane");
        Assert.Equal(1, Book.ActivityOf("jane").Contacts);
        Assert.Empty(await _bench.Store.Site().Counters.ListAsync(CounterKind.Usage, "", Cancel)); // expired
    }

    [Fact]
    public async Task A_store_that_does_not_answer_makes_nobody_new_and_nobody_wait_for_long()
    {
        await using var state = await SiteState.OpenAsync(new StalledSite(_bench.Store.Site()), _bench.Log, _bench.Clock, Cancel);
        var book = await UsageLedger.LoadAsync(state, _bench.Clock, Cancel);
        var loading = book.LoadContactsAsync("jane").AsTask();
        Assert.False(loading.IsCompleted);
        _bench.Clock.Advance(TimeSpan.FromSeconds(2));
        await loading;
        Assert.False(book.ActivityOf("jane").ContactsLoaded);
    }

    [Fact]
    public async Task The_operator_sees_who_is_busy_and_begins_anew()
    {
        var jane = Login("jane", Each((SendingMeasure.Messages, SendingWindow.Hour, 2)));
        Assert.Null(_bench.Send(jane, "a@acme.test", "b@acme.test"));
        Assert.Null(_bench.Send(jane, "a@acme.test"));
        Assert.Null(_bench.Send(Login("bob"), "a@acme.test"));
        Assert.Equal(["site 3", "login:jane 2", "login:bob 1"],
            Book.Busiest(9).Select(one => $"{one.Subject} {one.Activity.Day.Messages}"));
        var uses = Book.UsesOf("login:jane", jane.Quotas);
        Assert.Equal("Messages Hour 2 of 2, free 09:16",
            $"{uses[0].Measure} {uses[0].Window} {uses[0].Used} of {uses[0].Allowed}, free {uses[0].FreeAt:HH:mm}");
        Assert.Contains(new LimitUse("login:jane", SendingMeasure.Recipients, SendingWindow.Day, 3, null, null), uses);
        Assert.NotNull(_bench.Send(jane, "a@acme.test"));
        Book.Reset("login:jane");
        await _bench.RestartAsync();
        Assert.Null(_bench.Send(jane, "a@acme.test"));
    }

    /// <summary>Added to, never changed: this is on disk at a site.</summary>
    [Fact]
    public async Task Counts_are_stored_as_they_were()
    {
        var jane = Login("jane");
        Book.TryConnect(jane, Office, out _);
        Assert.Null(_bench.Send(jane, 1234, held: false, "a@x.test", "b@acme.test"));
        await _bench.State.FlushAsync();
        var counts = await _bench.Store.Site().Counters.ListAsync(CounterKind.Usage, "login:jane", Cancel);
        Assert.Equal(
            """
            login:jane 71034561 32=1, login:jane 71034561 33=2, login:jane 71034561 35=1234, login:jane 71034561 36=1,
            login:jane 1065518415 16=1, login:jane 1065518415 17=2, login:jane 1065518415 19=1234, login:jane 1065518415 20=1,
            login:jane 63931104930 0=1, login:jane 63931104930 1=2, login:jane 63931104930 3=1234, login:jane 63931104930 4=1,
            login:jane|192.0.2.7 71034561 48=1
            """.ReplaceLineEndings(" "),
            string.Join(", ", counts.Select(one => $"{one.Key.Replace('\n', '|')} {one.Bucket} {one.Measure}={one.Value}")));
        Assert.Equal("site", (await _bench.Store.Site().Counters.ListAsync(CounterKind.Usage, "s", Cancel))[0].Key);
    }

    private static (SendingWindow Window, string? FreeAt) Limit(LimitReached? reached) =>
        (reached!.Limit.Window, reached.FreeAt?.ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Its contacts never come.</summary>
    private sealed class StalledSite(ISiteStore site) : ISiteStore, IContacts
    {
        public string Name => site.Name;

        public IAccounts Accounts => site.Accounts;

        public ISiteKeys Keys => site.Keys;

        public IRegistry Registry => site.Registry;

        public ICounters Counters => site.Counters;

        public IContacts Contacts => this;

        public async ValueTask<ContactSegments> ListAsync(string login, long cursor, CancellationToken cancel)
        {
            await Task.Delay(Timeout.Infinite, cancel);
            return new ContactSegments([], 0);
        }

        public ValueTask WriteAsync(IReadOnlyList<ContactChange> changes, CancellationToken cancel) => site.Contacts.WriteAsync(changes, cancel);

        public ValueTask<int> SweepAsync(CancellationToken cancel) => site.Contacts.SweepAsync(cancel);
    }
}
