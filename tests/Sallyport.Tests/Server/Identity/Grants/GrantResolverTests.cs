using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Chain;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Grants;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Grants;

public sealed class GrantResolverTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 0, 0, TimeSpan.Zero);

    private readonly MemoryStore _store = new();
    private readonly FakeTimeProvider _time = new(Now);
    private readonly Shelf _shelf = new();
    private GrantRegistry _book = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _book = await LoadAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_grant_is_the_union_of_directory_configuration_and_commands_each_with_its_source()
    {
        await _book.AddAsync(new StoredGrant("anna", "*@events.acme.test", Now), Cancel);
        var grants = Resolver(
            new GrantOptions(["group:Assistants"], ["login:director", "office@acme.test"], 12), new GrantOptions(["bob"], ["bob2@acme.test"], 20));
        var grant = await grants.ResolveAsync(_shelf.Entries["anna"], Cancel);
        Assert.Equal(["anna@acme.test", "director@acme.test", "boss@acme.test", "office@acme.test"], grant.Addresses);
        Assert.Equal("*@events.acme.test", Assert.Single(grant.Patterns).ToString());
        Assert.Equal(
            [
                "anna@acme.test: directory shelf", "director@acme.test: [[grant]] in line 12, as director",
                "boss@acme.test: [[grant]] in line 12, as director", "office@acme.test: [[grant]] in line 12", "*@events.acme.test: command",
            ],
            grant.Rights.Select(right => $"{right.Sender}: {right.Source}"));
    }

    [Fact]
    public async Task A_delegation_is_not_passed_on_and_one_to_nobody_grants_nothing()
    {
        var grants = Resolver(
            new GrantOptions(["bob"], ["login:anna", "login:nobody"], 1), new GrantOptions(["anna"], ["login:director"], 2));
        Assert.Equal(["bob@acme.test", "anna@acme.test"], (await grants.ResolveAsync(_shelf.Entries["bob"], Cancel)).Addresses);
        _shelf.Broken = true;
        Assert.Equal(["bob@acme.test"], (await grants.ResolveAsync(_shelf.Entries["bob"], Cancel)).Addresses);
    }

    [Fact]
    public async Task The_first_mode_for_a_login_decides()
    {
        ImmutableArray<SenderModeOptions> modes =
            [new(["group:Assistants"], SenderMode.Log), new(["anna", "bob"], SenderMode.Rewrite), new(["bob"], SenderMode.Refuse)];
        var grants = new GrantResolver([], modes, _book, new DirectoryChain([_shelf], _time));
        Assert.Equal(SenderMode.Log, (await grants.ResolveAsync(_shelf.Entries["anna"], Cancel)).Mode);
        Assert.Equal(SenderMode.Rewrite, (await grants.ResolveAsync(_shelf.Entries["bob"], Cancel)).Mode);
        Assert.Equal(SenderMode.Refuse, (await grants.ResolveAsync(_shelf.Entries["director"], Cancel)).Mode);
    }

    [Fact]
    public async Task Who_may_send_as_an_address_is_said_with_every_right()
    {
        await _book.AddAsync(new StoredGrant("group:Assistants", "login:director", Now), Cancel);
        var grants = Resolver(new GrantOptions(["*"], ["boss@acme.test"], 3), new GrantOptions(["bob"], ["*@other.test"], 4));
        var who = await grants.WhoMaySendAsAsync(Box("boss+x@acme.test"), [], Cancel);
        Assert.Equal(
            ["director: directory shelf", "*: [[grant]] in line 3: boss@acme.test", "group:Assistants: command: login:director"],
            who.Select(right => $"{right.Sender}: {right.Source}"));
        Assert.Equal("bob", Assert.Single(await grants.WhoMaySendAsAsync(Box("x@other.test"), [], Cancel)).Sender);
    }

    [Fact]
    public async Task A_grant_by_command_is_there_after_a_restart_until_it_is_taken_back()
    {
        Assert.True(await _book.AddAsync(new StoredGrant("bob", "info@acme.test", Now), Cancel));
        Assert.False(await _book.AddAsync(new StoredGrant("bob", "info@acme.test", Now), Cancel));
        var again = await LoadAsync();
        Assert.Equal(("bob", "info@acme.test", Now), (again.All[0].To, again.All[0].As, again.All[0].CreatedAt));
        Assert.True(await again.RemoveAsync("bob", "info@acme.test", Cancel));
        Assert.False(await again.RemoveAsync("bob", "info@acme.test", Cancel));
        Assert.Empty((await LoadAsync()).All);
    }

    [Fact]
    public async Task A_delegators_directory_that_never_answers_is_given_up_by_the_clock()
    {
        _shelf.Silent = true;
        var grants = Resolver(new GrantOptions(["bob"], ["login:director"], 1));
        var resolved = grants.ResolveAsync(_shelf.Entries["bob"], Cancel).AsTask();
        Assert.False(resolved.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["bob@acme.test"], (await resolved.WaitAsync(TimeSpan.FromSeconds(10), Cancel)).Addresses);
    }

    private async ValueTask<GrantRegistry> LoadAsync() =>
        await GrantRegistry.LoadAsync(await _store.StateAsync(new RecordingLog(), TimeProvider.System), Cancel);

    private GrantResolver Resolver(params ImmutableArray<GrantOptions> configured) => new(configured, [], _book, new DirectoryChain([_shelf], _time));

    private static Mailbox Box(string text) => MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new ArgumentException(text);

    /// <summary>A directory of three people.</summary>
    private sealed class Shelf : IAddressDirectory
    {
        public Dictionary<string, DirectoryEntry> Entries { get; } = new DirectoryEntry[]
        {
            new("anna", "shelf", ["anna@acme.test"], ["Assistants"]),
            new("bob", "shelf", ["bob@acme.test"], []),
            new("director", "shelf", ["director@acme.test", "boss@acme.test"], []),
        }.ToDictionary(entry => entry.Login);

        public bool Broken { get; set; }

        public bool Silent { get; set; }

        public string Name => "shelf";

        public ValueTask<LoginVerdict> FindAsync(string login, CancellationToken cancel) => Broken
            ? throw new IOException("the shelf is on fire")
            : Silent ? new(new TaskCompletionSource<LoginVerdict>().Task)
            : ValueTask.FromResult<LoginVerdict>(Entries.TryGetValue(login, out var entry)
                ? new LoginVerdict.Granted(entry) : new LoginVerdict.Denied(LoginReason.UnknownLogin));

        public ValueTask<IReadOnlyList<DirectoryEntry>> FindByAddressAsync(string address, CancellationToken cancel) =>
            ValueTask.FromResult<IReadOnlyList<DirectoryEntry>>(
                [.. Entries.Values.Where(entry => SenderPolicy.MayUse(new Grant(entry.Login, "shelf", entry.Addresses), Box(address)))]);
    }
}
