using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Admin;

/// <summary>Who may call what, and what the log says of it.</summary>
public sealed class AdminAccessTests : IAsyncDisposable
{
    private const string Jane = "jane@acme.test";

    private static readonly AdminCaller Help = new("help", AdminRole.Reader);
    private static readonly AdminCaller JaneHerself = new(Jane, AdminRole.User, Jane);

    private readonly AdminBench _bench = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact]
    public async Task A_reader_reads_and_changes_nothing()
    {
        Assert.Empty((await PageAsync(UserOperations.List, ListRequest.All, Help)).Items);
        Assert.Empty((await PageAsync(AppPasswordOperations.List, new AppPasswordQuery(null), Help)).Items);
        await Assert.ThrowsAsync<AdminRefusedException>(() => CallAsync(GuardOperations.Add, new NewBan("192.0.2.7", 60), Help));
        await Assert.ThrowsAsync<AdminRefusedException>(() => CallAsync(AppPasswordOperations.Add, Phone(Jane), Help));
        await Assert.ThrowsAsync<AdminRefusedException>(() => CallAsync(LoginTrialOperations.TryLogin, new LoginQuery(Jane, "own"), Help));
        Assert.Empty(await _bench.ListAsync(GuardOperations.List, ListRequest.All));
    }

    [Fact]
    public async Task A_user_has_the_own_app_passwords_and_nobody_elses()
    {
        var made = await CallAsync(AppPasswordOperations.Add, Phone("JANE@acme.test"), JaneHerself);
        Assert.Equal((true, AdminCodes.AppPasswordAdded), (made.Done, made.Code));
        Assert.Equal("Phone", Assert.Single((await PageAsync(AppPasswordOperations.List, new AppPasswordQuery(Jane), JaneHerself)).Items).Label);
        Assert.Equal(Jane, (await CallAsync(GrantOperations.Of, new UserName(Jane), JaneHerself)).Login);
        foreach (var refused in (Func<Task>[])[
            () => PageAsync(AppPasswordOperations.List, new AppPasswordQuery(null), JaneHerself),
            () => PageAsync(AppPasswordOperations.List, new AppPasswordQuery("bob@acme.test"), JaneHerself),
            () => CallAsync(AppPasswordOperations.Add, Phone("bob@acme.test"), JaneHerself),
            () => CallAsync(LimitOperations.Show, new LimitSubject("site", ""), JaneHerself),
            () => CallAsync(StatusOperations.Show, EmptyRequest.Instance, JaneHerself),
            () => PageAsync(UserOperations.List, ListRequest.All, JaneHerself)])
        {
            Assert.Equal(AdminCodes.Forbidden, (await Assert.ThrowsAsync<AdminRefusedException>(refused)).Answer.Code);
        }

        Assert.True((await CallAsync(AppPasswordOperations.Revoke, new AppPasswordChoice(Jane, null), JaneHerself)).Done);
    }

    [Fact]
    public async Task A_change_is_logged_with_who_asked_for_it_and_a_question_is_not()
    {
        await CallAsync(GuardOperations.Add, new NewBan("192.0.2.7", 60), AdminCaller.Operator("alice by root"));
        await CallAsync(GuardOperations.Add, new NewBan("nowhere", 60), AdminCaller.Operator("alice by root"));
        await PageAsync(GuardOperations.List, ListRequest.All, AdminCaller.Operator("alice by root"));
        var change = Assert.Single(_bench.Log.Events.OfType<MailEvent.AdminChange>());
        Assert.Equal(new MailEvent.AdminChange("bans/add", "alice by root", "192.0.2.7", AdminCodes.BanAdded), change);
        Assert.Equal("admin alice by root: bans/add 192.0.2.7: ban_added", HumanText(change));
    }

    [Fact]
    public async Task A_listing_comes_in_pages_that_meet_without_gap_or_repetition()
    {
        foreach (var address in (string[])["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"])
        {
            await _bench.CallAsync(GuardOperations.Add, new NewBan(address, 60));
        }

        var (networks, request) = (new List<string>(), new ListRequest(2));
        for (var pages = 1; ; pages++)
        {
            var page = await _bench.Admin.PageAsync(GuardOperations.List, request, Cancel);
            networks.AddRange(page.Items.Select(ban => ban.Network));
            if (page.Next is not { } next)
            {
                Assert.Equal(3, pages);
                break;
            }

            await _bench.CallAsync(GuardOperations.Remove, new AddressName("192.0.2.2")); // what the cursor names may be gone
            request = request.Following(next);
        }

        Assert.Equal(5, networks.Distinct().Count());
        Assert.Equal(5, networks.Count);
        Assert.Equal(4, (await _bench.ListAsync(GuardOperations.List, new ListRequest(1))).Length);
    }

    [Fact]
    public async Task A_cursor_that_is_none_is_refused() => Assert.Equal(AdminCodes.InvalidCursor, (await Assert.ThrowsAsync<AdminRefusedException>(
        () => _bench.Admin.PageAsync(GuardOperations.List, new ListRequest(1, "?"), Cancel).AsTask())).Answer.Code);

    private static NewAppPassword Phone(string login) => new(login, "Phone", null, [], []);

    private static string HumanText(MailEvent mailEvent)
    {
        var line = ILineFormatter.Of(LogStyle.Human).Format(mailEvent, default)!;
        return line[line.IndexOf("admin", StringComparison.Ordinal)..];
    }

    private Task<TAnswer> CallAsync<TRequest, TAnswer>(AdminOperation<TRequest, TAnswer> operation, TRequest request, AdminCaller caller)
        where TRequest : class
        where TAnswer : class => _bench.Admin.Dispatcher.CallAsync(operation, request, new(caller, Cancel)).AsTask();

    private async Task<AdminPage<TItem>> PageAsync<TRequest, TItem>(AdminListing<TRequest, TItem> listing, TRequest request, AdminCaller caller)
        where TRequest : class, IPagedRequest<TRequest>
        where TItem : class => await _bench.Admin.Dispatcher.PageAsync(listing, request, new(caller, Cancel));
}
