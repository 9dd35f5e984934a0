using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Offline;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Offline;

/// <summary>A directory is down, and who has logged in lately from the same network goes on.</summary>
public sealed class OutageTests
{
    private static readonly TimeSpan GoodFor = TimeSpan.FromHours(4);

    private readonly PeopleDirectory _site = new PeopleDirectory("site").With("jane", "own", ["jane@acme.test"], ["Senders"], "jane@acme.test");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_login_goes_on_from_the_same_network_for_the_time_it_may_with_what_it_last_had()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        _site.Away = true;
        bench.Clock.Advance(GoodFor);
        var grant = await bench.GrantAsync("jane", "own");
        Assert.Equal(("site", "jane"), (grant.Outage, grant.Login));
        Assert.Equal(["jane@acme.test"], grant.Addresses);
        Assert.Equal(["Senders"], grant.Groups);
        Assert.Equal("directory site is away (site is away); it goes by its last success from this network, 2026-11-24 08:00:00Z", grant.Note);
        Assert.Equal("454: site is away", await bench.LogInAsync("jane", "own", IdentityBench.Cafe));
        bench.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("454: site is away", await bench.LogInAsync("jane", "own"));
    }

    [Fact]
    public async Task A_password_good_for_an_outage_outlives_a_restart()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        await bench.RestartAsync();
        _site.Away = true;
        Assert.Equal("ok", await bench.LogInAsync("jane", "own"));
    }

    [Fact]
    public async Task Without_outage_for_nothing_is_remembered_and_454_it_is()
    {
        await using var bench = await IdentityBench.StartAsync(Site(TimeSpan.Zero, TimeSpan.Zero), _site);
        Assert.Equal("ok", await bench.LogInAsync("jane", "own"));
        await bench.Books.State.FlushAsync();
        Assert.Empty(await bench.Store.EntriesAsync(RegistryKind.OutageVerifier));
        _site.Away = true;
        Assert.Equal("454: site is away", await bench.LogInAsync("jane", "own"));
    }

    [Fact]
    public async Task Guesses_meanwhile_hear_what_everybody_hears_and_are_counted()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        _site.Away = true;
        var most = bench.Options.Guard.FailuresPerLoginAndNetwork * 2; // the network is known
        most = Math.Min(most, bench.Options.Guard.DirectoryFailuresPerLogin);
        for (var i = 0; i < most; i++)
        {
            Assert.StartsWith("454: site is away; the password is not", await bench.LogInAsync("jane", $"guess {i}"), StringComparison.Ordinal);
        }

        Assert.Contains("failed logins", await bench.LogInAsync("jane", "one more"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_phone_with_an_old_password_counts_once_meanwhile()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        _site.Away = true;
        for (var i = 0; i < 50; i++)
        {
            Assert.StartsWith("454: site is away; the password is not", await bench.LogInAsync("jane", "old"), StringComparison.Ordinal);
        }

        Assert.Equal("ok", await bench.LogInAsync("jane", "own"));
    }

    [Fact]
    public async Task An_app_password_in_use_keeps_no_other_password_alive()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        var (_, secret) = await bench.MakeAsync("jane");
        bench.Clock.Advance(GoodFor);
        Assert.Equal("ok", await bench.LogInAsync("jane", secret));
        bench.Clock.Advance(TimeSpan.FromSeconds(1));
        await bench.RestartAsync();
        _site.Away = true;
        Assert.Equal("454: site is away", await bench.LogInAsync("jane", "own"));
        Assert.Equal("ok", await bench.LogInAsync("jane", secret));
    }

    [Fact]
    public async Task What_the_directory_has_said_of_one_name_ends_it_for_the_others()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        Assert.Equal("ok", await bench.LogInAsync("jane@acme.test", "own"));
        await UntilAsync(() => ValueTask.FromResult(
            bench.Books.Outages.Find(Key() with { Login = "jane@acme.test" }, GoodFor, bench.Clock.GetUtcNow())?.Verifier is not null));
        _site.Disabled.Add("jane");
        Assert.NotEqual("ok", await bench.LogInAsync("jane@acme.test", "own"));
        _site.Away = true;
        bench.Clock.Advance(bench.Options.Guard.StaleRecheck);
        Assert.Equal("454: site is away", await bench.LogInAsync("jane", "own"));
    }

    [Fact]
    public async Task A_new_password_tried_meanwhile_is_not_held_against_its_user_when_the_directory_is_back()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        (_site.Passwords["jane"], _site.Away) = ("new", true);
        Assert.StartsWith("454", await bench.LogInAsync("jane", "new"), StringComparison.Ordinal);
        _site.Away = false;
        Assert.Equal("ok", await bench.LogInAsync("jane", "new"));
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("disabled")]
    [InlineData("gone")]
    [InlineData("disabled in a session")]
    public async Task What_the_directory_says_after_an_outage_ends_what_was_remembered(string since)
    {
        await using var bench = await StartAsync();
        var grant = await LogInAsync(bench);
        if (since == "refused")
        {
            _site.Passwords["jane"] = "new";
        }
        else if (since == "gone")
        {
            _site.People.Clear();
        }
        else
        {
            _site.Disabled.Add("jane");
        }

        if (since.EndsWith("session", StringComparison.Ordinal))
        {
            await bench.Service.AskAgainAsync(grant, "jane", Cancel);
        }
        else
        {
            Assert.NotEqual("ok", await bench.LogInAsync("jane", "own", IdentityBench.Cafe));
        }

        await UntilAsync(async () =>
        {
            await bench.Books.State.FlushAsync();
            return (await bench.Store.EntriesAsync(RegistryKind.OutageVerifier)).Count == 0;
        });
        _site.Away = true;
        bench.Clock.Advance(bench.Options.Guard.StaleRecheck); // until then the guard itself would know the password as refused
        Assert.StartsWith("454", await bench.LogInAsync("jane", "own"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_refused_after_a_restart_is_known_by_its_verifier()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        await bench.RestartAsync();
        await bench.Books.Outages.RefusedAsync("site", "jane", "another");
        Assert.NotNull(bench.Books.Outages.Find(Key(), GoodFor, bench.Clock.GetUtcNow()));
        await bench.Books.Outages.RefusedAsync("site", "jane", "own");
        Assert.Null(bench.Books.Outages.Find(Key(), GoodFor, bench.Clock.GetUtcNow()));
    }

    [Fact]
    public async Task An_app_password_goes_on_as_well()
    {
        await using var bench = await StartAsync();
        var (_, secret) = await bench.MakeAsync("jane");
        Assert.Equal("ok", await bench.LogInAsync("jane", secret));
        _site.Away = true;
        Assert.Equal("site", (await bench.GrantAsync("jane", secret)).Outage);
        Assert.Equal("454: site is away", await bench.LogInAsync("jane", secret, IdentityBench.Cafe));
        Assert.StartsWith("454", await bench.LogInAsync("jane", "own"), StringComparison.Ordinal); // of which nothing is known
    }

    [Fact]
    public async Task A_verifier_is_made_for_another_password_only_and_is_bound_to_its_place()
    {
        await using var bench = await StartAsync();
        await LogInAsync(bench);
        var made = Entry(bench).Verifier!;
        bench.Clock.Advance(TimeSpan.FromHours(3));
        Assert.Equal("ok", await bench.LogInAsync("jane", "own"));
        Assert.Equal((made, bench.Clock.GetUtcNow()), (Entry(bench).Verifier, Entry(bench).At));
        Assert.Equal(PasswordCheck.Right, await bench.Books.Outages.CheckAsync(Key(), made, "own"));
        foreach (var other in new[] { Key() with { Directory = "other" }, Key() with { Login = "bob" }, Key() with { Network = IdentityBench.Cafe } })
        {
            Assert.Equal(PasswordCheck.Wrong, await bench.Books.Outages.CheckAsync(other, made, "own"));
        }
    }

    [Fact]
    public async Task Of_a_login_so_many_networks_are_remembered_the_oldest_goes_first()
    {
        await using var bench = await StartAsync();
        var book = bench.Books.Outages;
        for (var i = 0; i <= OfflineCredentialCache.NetworksMax; i++)
        {
            await book.SucceededAsync(Key(i), null, _site.People["jane"], GoodFor, bench.Clock.GetUtcNow());
            bench.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Null(book.Find(Key(0), GoodFor, bench.Clock.GetUtcNow()));
        Assert.NotNull(book.Find(Key(1), GoodFor, bench.Clock.GetUtcNow()));
        Assert.NotNull(book.Find(Key(OfflineCredentialCache.NetworksMax), GoodFor, bench.Clock.GetUtcNow()));
    }

    /// <summary>What a store of an earlier version has.</summary>
    [Fact]
    public async Task The_stored_form_of_an_outage_entry_only_grows()
    {
        await using var bench = await StartAsync();
        const string Json = """
            {"login":"jane","addresses":["jane@acme.test"],"groups":["Senders"],"at":"2026-11-24T08:00:00+00:00",
            "iterations":4096,"salt":"AAEC","stored_key":"AwQ=","server_key":"BQY="}
            """;
        await bench.Store.PutAsync(RegistryKind.OutageVerifier, "site\njane\n192.0.2.7", Json);
        await bench.RestartAsync();
        var entry = Entry(bench);
        Assert.Equal(("jane", "site", 1, 1), (entry.Entry.Login, entry.Entry.Directory, entry.Entry.Addresses.Length, entry.Entry.Groups.Length));
        Assert.Equal((4096, 3, 2, 2), (entry.Verifier!.Iterations, entry.Verifier.Salt.Length, entry.Verifier.StoredKey.Length,
            entry.Verifier.ServerKey.Length));
    }

    private static OutageKey Key(int? last = null) =>
        new("site", "jane", last is { } i ? IPAddress.Parse($"203.0.113.{i}") : IdentityBench.Office);

    private static OutageEntry Entry(IdentityBench bench) => bench.Books.Outages.Find(Key(), GoodFor, bench.Clock.GetUtcNow())!;

    private static Func<ServerOptions, ServerOptions> Site(TimeSpan outageFor, TimeSpan cache) => options => options with
    {
        Directories = [new LocalDirectoryOptions("site") { OutageFor = outageFor, LoginCache = cache }],
    };

    private Task<IdentityBench> StartAsync() => IdentityBench.StartAsync(Site(GoodFor, TimeSpan.Zero), _site);

    /// <summary>Logged in, and its verifier made.</summary>
    private static async Task<Grant> LogInAsync(IdentityBench bench)
    {
        var grant = await bench.GrantAsync("jane", "own");
        await UntilAsync(() => ValueTask.FromResult(Entry(bench).Verifier is not null));
        return grant;
    }

    /// <summary>What is made on a thread of its own is there when it is there.</summary>
    private static async Task UntilAsync(Func<ValueTask<bool>> holds)
    {
        while (!await holds())
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
