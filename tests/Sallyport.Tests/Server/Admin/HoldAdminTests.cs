using Sallyport.Mail.Policy;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Hosting;
using Sallyport.Server.Sending;
using Sallyport.Server.Telemetry;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Server.Admin;

/// <summary>sallyport hold and sallyport login: what the door does.</summary>
public sealed class HoldAdminTests : IAsyncDisposable
{
    private readonly MemoryStore _store = new();
    private readonly RecordingLog _log = new();
    private readonly SiteServices _site;
    private readonly LocalAdmin _admin;
    private int _trips;

    public HoldAdminTests()
    {
        var options = new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere" };
        var people = new PeopleDirectory("site").With("Jane Doe/Acme", "own", [], [], "jane doe/acme", "jdoe@acme.test");
        _site = SiteServices.OpenAsync(new LentStore(_store), options, _log, TimeProvider.System, default).GetAwaiter().GetResult();
        _site.Site.Swap(_site.NewSnapshot(options, null, [people]));
        _admin = new LocalAdmin(_site.ForAdmin(startedAt: null));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        await _site.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task All_of_a_login_is_released_a_part_at_a_time_and_its_trip_is_cleared()
    {
        await HoldAsync("jane@acme.test", 1, 2500);
        await HoldAsync("bob@acme.test", 3000, 1);
        Trip("jane@acme.test");
        Trip("bob@acme.test");
        var selection = new HeldSelection("Jane@ACME.test", [], false, true);
        var answers = new List<HeldAnswer>();
        do
        {
            answers.Add(await _admin.CallAsync(HoldOperations.Release, selection, Cancel));
        }
        while (answers[^1].More);
        Assert.Equal([1000, 1000, 500], answers.Select(answer => answer.Messages));
        Assert.Equal("500 messages of jane@acme.test released", answers[^1].Message);
        Assert.True(_site.Handoff.Due.TryRead(out _));
        Assert.Equal(["bob@acme.test"], Tripped);
        Assert.NotNull(_site.Abuse.Breaker.StateOf("jane@acme.test", []).TrustedUntil);
        Assert.Equal(2500, (await _store.Spool.TotalsAsync(Cancel)).Due);
        Assert.Equal(["bob@acme.test"], (await _admin.ListAsync(HoldOperations.List, new HeldQuery(null), Cancel)).Select(held => held.Login));
        Assert.Equal(2500, _log.Events.OfType<MailEvent.HeldChanged>().Sum(one => one.Messages));
    }

    [Fact]
    public async Task All_of_a_login_is_dropped_and_its_trip_stays()
    {
        await HoldAsync("jane@acme.test", 1, 3);
        Trip("jane@acme.test");
        await _store.Spool.KeepAsync(9, Record("x@example.com", "y@example.com") with { Login = "jane@acme.test" }, [], claim: true);
        await _store.Spool.ReleaseClaimAsync(Id(9), [0], Cancel);
        await _store.Spool.HoldAsync(Id(9), "tripped", Cancel);
        Assert.Equal(
            new HeldAnswer(true, AdminCodes.MessagesDropped,
                "3 messages of jane@acme.test dropped; 1 just being relayed and left: try again in a moment", 3, 3, false, 1),
            await _admin.CallAsync(HoldOperations.Drop, new HeldSelection("jane@acme.test", [], false, false), Cancel));
        Assert.Equal(["jane@acme.test"], Tripped);
        Assert.Equal(["0009"], Ids(await _store.Spool.ListAsync(new QueueFilter(), Cancel)));
    }

    [Fact]
    public async Task Messages_are_released_and_dropped_by_name()
    {
        await HoldAsync("jane@acme.test", 1, 3);
        Trip("jane@acme.test");
        await _store.Spool.KeepAsync(4, Record("x@example.com"), []);
        Assert.Equal(
            new HeldAnswer(false, AdminCodes.MessagesLeft, "1 message released; not held, or just being relayed: MESSAGE0004", 1, 1, false, 0),
            await _admin.CallAsync(HoldOperations.Release, new HeldSelection(null, ["message0001", "MESSAGE0004"], false, false), Cancel));
        Assert.Equal(
            new HeldAnswer(false, AdminCodes.MessagesLeft, "2 messages dropped; not held, or just being relayed: MESSAGE0004", 2, 2, false, 0),
            await _admin.CallAsync(
                HoldOperations.Drop, new HeldSelection(null, ["MESSAGE0002", "MESSAGE0003", "MESSAGE0004"], false, false), Cancel));
        Assert.Equal(["0001", "0004"], Ids(await _store.Spool.ListAsync(new QueueFilter(), Cancel)));
        Assert.Equal(["jane@acme.test"], Tripped);
    }

    [Fact]
    public async Task Everything_is_released_with_every_trip()
    {
        await HoldAsync("jane@acme.test", 1, 2);
        await HoldAsync("bob@acme.test", 3, 2);
        Trip("jane@acme.test");
        Trip("bob@acme.test");
        var released = await _admin.CallAsync(HoldOperations.Release, new HeldSelection(null, [], true, false), Cancel);
        Assert.Equal("4 messages released", released.Message);
        Assert.Empty(Tripped);
        Assert.Equal(
            new HeldAnswer(false, AdminCodes.NothingHeld, "nothing is held", 0, 0, false, 0),
            await _admin.CallAsync(HoldOperations.Release, new HeldSelection(null, [], true, false), Cancel));
        Trip("jane@acme.test");
        Assert.Equal(
            new HeldAnswer(true, AdminCodes.SendingResumed, "nothing of jane@acme.test was held; it may send again", 0, 0, false, 0),
            await _admin.CallAsync(HoldOperations.Release, new HeldSelection("jane@acme.test", [], false, false), Cancel));
    }

    [Fact]
    public async Task What_names_nothing_or_two_things_changes_nothing()
    {
        await HoldAsync("jane@acme.test", 1, 1);
        foreach (var selection in (HeldSelection[])[new(null, [], false, false), new("jane@acme.test", ["MESSAGE0001"], false, false),
            new("jane@acme.test", [], true, false), new(null, ["no"], false, false)])
        {
            Assert.False((await _admin.CallAsync(HoldOperations.Drop, selection, Cancel)).Done);
        }

        Assert.Equal(1, (await _store.Spool.TotalsAsync(Cancel)).Held);
    }

    [Fact]
    public async Task A_login_is_suspended_and_resumed_and_the_log_says_so()
    {
        await _store.Spool.KeepAsync(1, Record("x@example.com") with { Login = "jane@acme.test" }, []);
        var suspended = await _admin.CallAsync(
            LoginOperations.Suspend, new NewSuspension("Jane@acme.test", "your password was stolen", null, HoldQueue: true), Cancel);
        Assert.Equal(new AdminAnswer(
            true, AdminCodes.LoginSuspended, "jane@acme.test is suspended: it can log in but cannot send until resumed; 1 message held"), suspended);
        Assert.Equal(1, (await _store.Spool.TotalsAsync(Cancel)).Held);
        var view = Assert.Single(await _admin.ListAsync(LoginOperations.List, ListRequest.All, Cancel));
        Assert.Equal(("jane@acme.test", "suspended", null, "your password was stolen"), (view.Login, view.State, view.Until, view.Why));
        Assert.Equal(
            new AdminAnswer(true, AdminCodes.LoginResumedMailHeld, "jane@acme.test may send again; 1 message is still held"),
            await _admin.CallAsync(LoginOperations.Resume, new UserName("JANE@acme.test"), Cancel));
        Assert.Empty(await _admin.ListAsync(LoginOperations.List, ListRequest.All, Cancel));
        Assert.Equal(
            new AdminAnswer(false, AdminCodes.LoginNotStopped, "jane@acme.test is neither suspended nor stopped by the breaker"),
            await _admin.CallAsync(LoginOperations.Resume, new UserName("jane@acme.test"), Cancel));
        Assert.Equal(
            [typeof(MailEvent.LoginSuspended), typeof(MailEvent.AdminChange), typeof(MailEvent.LoginResumed), typeof(MailEvent.AdminChange)],
            _log.Events.Select(one => one.GetType()));
    }

    [Theory]
    [InlineData("jdoe@acme.test")]
    [InlineData("Jane Doe/Acme")]
    public async Task A_login_is_suspended_by_any_of_its_names(string name)
    {
        await _store.Spool.KeepAsync(1, Record("x@example.com") with { Login = "Jane Doe/Acme" }, []);
        var suspended = await _admin.CallAsync(LoginOperations.Suspend, new NewSuspension(name, "", null, HoldQueue: true), Cancel);
        Assert.EndsWith("1 message held", suspended.Message, StringComparison.Ordinal);
        Assert.NotNull(_site.Books.Suspensions.Find("Jane Doe/Acme"));
        Assert.Equal("Jane Doe/Acme may send again; 1 message is still held",
            (await _admin.CallAsync(LoginOperations.Resume, new UserName(name), Cancel)).Message);
        Assert.Null(_site.Books.Suspensions.Find("Jane Doe/Acme"));
        var dropped = await _admin.CallAsync(HoldOperations.Drop, new HeldSelection(name, [], false, false), Cancel);
        Assert.Equal(1, dropped.Messages);
    }

    [Fact]
    public async Task Limits_of_a_login_begin_anew_by_any_of_its_names()
    {
        Assert.Null(_site.Sending.TryBegin(SendingLogin.Of(new Grant("Jane Doe/Acme", "site", []), []), 0, out var message));
        message!.Committed(held: false);
        Assert.True((await _admin.CallAsync(LimitOperations.Reset, new LimitSubject("login", "jdoe@acme.test"), Cancel)).Done);
        Assert.True(_site.Sending.ActivityOf("Jane Doe/Acme").Day.IsZero);
    }

    [Theory]
    [InlineData("", "", 60L)]
    [InlineData("jane", "", 0L)]
    [InlineData("jane", "a\rb", 60L)]
    public async Task What_can_be_no_suspension_is_none(string login, string why, long seconds)
    {
        Assert.False((await _admin.CallAsync(LoginOperations.Suspend, new NewSuspension(login, why, seconds, false), Cancel)).Done);
        Assert.False((await _admin.CallAsync(
            LoginOperations.Suspend, new NewSuspension("jane", new string('x', 201), null, false), Cancel)).Done);
        Assert.Empty(_site.Books.Suspensions.All);
    }

    private async Task HoldAsync(string login, int first, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _store.Spool.KeepAsync(first + i, Record("x@example.com") with { Login = login, HoldReason = "tripped" }, []);
        }
    }

    private IEnumerable<string> Tripped => _site.Abuse.Breaker.Trips.Select(trip => trip.Login);

    /// <summary>Writes to so many it has never written to that the breaker stops it.</summary>
    private void Trip(string login)
    {
        _site.Sending.LoadContactsAsync(login).AsTask().GetAwaiter().GetResult();
        Assert.Null(_site.Sending.TryBegin(new SendingLogin(login, [], ["acme.test"], []), 0, out var message));
        for (var i = 0; i < 50; i++)
        {
            Assert.Null(message!.AddRecipient(Sallyport.Tests.Server.Sending.LedgerBench.Mailbox($"u{i}.{_trips}@example.com")));
        }

        _trips++;
        Assert.NotNull(message!.ShouldHold(_site.Abuse.Breaker, System.Net.IPAddress.Parse("198.51.100.7"), []));
        message.Committed(held: true);
    }
}
