using Sallyport.Mail.Policy;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Routing;
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
    private readonly List<(string? Login, bool Trust)> _letGo = [];
    private readonly SuspensionRegistry _suspensions;
    private readonly UsageLedger _sending;
    private readonly LocalAdmin _admin;
    private int _woken;
    private bool _tripped;

    public HoldAdminTests()
    {
        var options = new ServerOptions { Hostname = "smtp.acme.test", Data = "/nowhere" };
        var books = IdentityBooks.LoadAsync(_store, options, _log, TimeProvider.System, default).AsTask().GetAwaiter().GetResult();
        var people = new PeopleDirectory("site").With("Jane Doe/Acme", "own", [], [], "jane doe/acme", "jdoe@acme.test");
        var identity = books.NewService(options, [people]);
        _suspensions = books.Suspensions;
        _sending = UsageLedger.LoadAsync(_store, books.Journal, TimeProvider.System, default).AsTask().GetAwaiter().GetResult();
        _admin = new LocalAdmin(new AdminServices(
            _store, books, () => (options, new RouteTable([]), identity), TimeProvider.System, null, () => _woken++, static () => 0)
        {
            Sending = _sending,
            Log = _log,
            LetGo = (login, trust) =>
            {
                _letGo.Add((login, trust));
                return _tripped;
            },
        });
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task All_of_a_login_is_released_a_part_at_a_time_and_its_trip_is_cleared()
    {
        await HoldAsync("jane@acme.test", 1, 2500);
        await HoldAsync("bob@acme.test", 3000, 1);
        var selection = new HeldSelection("Jane@ACME.test", [], false, true);
        var answers = new List<HeldAnswer>();
        do
        {
            answers.Add(await _admin.CallAsync(HoldOperations.Release, selection, Cancel));
        }
        while (answers[^1].More);
        Assert.Equal([1000, 1000, 500], answers.Select(answer => answer.Messages));
        Assert.Equal("500 messages of jane@acme.test released", answers[^1].Message);
        Assert.Equal(3, _woken);
        Assert.All(_letGo, one => Assert.Equal(("jane@acme.test", true), one));
        Assert.Equal(2500, (await _store.Spool.TotalsAsync(Cancel)).Due);
        Assert.Equal(["bob@acme.test"], (await _admin.CallAsync(HoldOperations.List, new HeldQuery(null), Cancel)).Select(held => held.Login));
        Assert.Equal(2500, _log.Events.OfType<MailEvent.HeldChanged>().Sum(one => one.Messages));
    }

    [Fact]
    public async Task All_of_a_login_is_dropped_and_its_trip_stays()
    {
        await HoldAsync("jane@acme.test", 1, 3);
        await _store.Spool.KeepAsync(9, Record("x@example.com", "y@example.com") with { Login = "jane@acme.test" }, [], claim: true);
        await _store.Spool.ReleaseClaimAsync(Id(9), [0], Cancel);
        await _store.Spool.HoldAsync(Id(9), "tripped", Cancel);
        Assert.Equal(
            new HeldAnswer(true, "3 messages of jane@acme.test dropped; 1 just being relayed and left: try again in a moment", 3, 3, false, 1),
            await _admin.CallAsync(HoldOperations.Drop, new HeldSelection("jane@acme.test", [], false, false), Cancel));
        Assert.Empty(_letGo);
        Assert.Equal(["0009"], Ids(await _store.Spool.ListAsync(new QueueFilter(), Cancel)));
    }

    [Fact]
    public async Task Messages_are_released_and_dropped_by_name()
    {
        await HoldAsync("jane@acme.test", 1, 3);
        await _store.Spool.KeepAsync(4, Record("x@example.com"), []);
        Assert.Equal(
            new HeldAnswer(false, "1 message released; not held, or just being relayed: MESSAGE0004", 1, 1, false, 0),
            await _admin.CallAsync(HoldOperations.Release, new HeldSelection(null, ["message0001", "MESSAGE0004"], false, false), Cancel));
        Assert.Equal(
            new HeldAnswer(false, "2 messages dropped; not held, or just being relayed: MESSAGE0004", 2, 2, false, 0),
            await _admin.CallAsync(
                HoldOperations.Drop, new HeldSelection(null, ["MESSAGE0002", "MESSAGE0003", "MESSAGE0004"], false, false), Cancel));
        Assert.Equal(["0001", "0004"], Ids(await _store.Spool.ListAsync(new QueueFilter(), Cancel)));
        Assert.Empty(_letGo);
    }

    [Fact]
    public async Task Everything_is_released_with_every_trip()
    {
        await HoldAsync("jane@acme.test", 1, 2);
        await HoldAsync("bob@acme.test", 3, 2);
        var released = await _admin.CallAsync(HoldOperations.Release, new HeldSelection(null, [], true, false), Cancel);
        Assert.Equal("4 messages released", released.Message);
        Assert.Equal((null, false), Assert.Single(_letGo));
        Assert.Equal(
            new HeldAnswer(false, "nothing is held", 0, 0, false, 0),
            await _admin.CallAsync(HoldOperations.Release, new HeldSelection(null, [], true, false), Cancel));
        _tripped = true;
        Assert.Equal(
            new HeldAnswer(true, "nothing of jane@acme.test was held; it may send again", 0, 0, false, 0),
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
        Assert.Equal(new AdminAnswer(true, "jane@acme.test may log in and not send, until it is resumed; 1 message of it held"), suspended);
        Assert.Equal(1, (await _store.Spool.TotalsAsync(Cancel)).Held);
        var view = Assert.Single(await _admin.CallAsync(LoginOperations.List, EmptyRequest.Instance, Cancel));
        Assert.Equal(("jane@acme.test", "suspended", null, "your password was stolen"), (view.Login, view.State, view.Until, view.Why));
        Assert.Equal(
            new AdminAnswer(true, "jane@acme.test may send again; 1 message of it stay held: `sallyport hold release` or `hold drop`"),
            await _admin.CallAsync(LoginOperations.Resume, new UserName("JANE@acme.test"), Cancel));
        Assert.Empty(await _admin.CallAsync(LoginOperations.List, EmptyRequest.Instance, Cancel));
        Assert.Equal(
            new AdminAnswer(false, "jane@acme.test is neither suspended nor stopped by the breaker"),
            await _admin.CallAsync(LoginOperations.Resume, new UserName("jane@acme.test"), Cancel));
        Assert.Equal(
            [typeof(MailEvent.LoginSuspended), typeof(MailEvent.LoginResumed)], _log.Events.Select(one => one.GetType()));
    }

    [Theory]
    [InlineData("jdoe@acme.test")]
    [InlineData("Jane Doe/Acme")]
    public async Task A_login_is_suspended_by_any_of_its_names(string name)
    {
        await _store.Spool.KeepAsync(1, Record("x@example.com") with { Login = "Jane Doe/Acme" }, []);
        var suspended = await _admin.CallAsync(LoginOperations.Suspend, new NewSuspension(name, "", null, HoldQueue: true), Cancel);
        Assert.EndsWith("1 message of it held", suspended.Message, StringComparison.Ordinal);
        Assert.NotNull(_suspensions.Find("Jane Doe/Acme"));
        Assert.Equal("Jane Doe/Acme may send again; 1 message of it stay held: `sallyport hold release` or `hold drop`",
            (await _admin.CallAsync(LoginOperations.Resume, new UserName(name), Cancel)).Message);
        Assert.Null(_suspensions.Find("Jane Doe/Acme"));
        var dropped = await _admin.CallAsync(HoldOperations.Drop, new HeldSelection(name, [], false, false), Cancel);
        Assert.Equal(1, dropped.Messages);
    }

    [Fact]
    public async Task Limits_of_a_login_begin_anew_by_any_of_its_names()
    {
        Assert.Null(_sending.TryBegin(SendingLogin.Of(new Grant("Jane Doe/Acme", "site", []), []), 0, out var message));
        message!.Committed(held: false);
        Assert.True((await _admin.CallAsync(LimitOperations.Reset, new LimitSubject("login", "jdoe@acme.test"), Cancel)).Done);
        Assert.True(_sending.ActivityOf("Jane Doe/Acme").Day.IsZero);
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
        Assert.Empty(_suspensions.All);
    }

    private async Task HoldAsync(string login, int first, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await _store.Spool.KeepAsync(first + i, Record("x@example.com") with { Login = login, HoldReason = "tripped" }, []);
        }
    }
}
