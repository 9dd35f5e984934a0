using Microsoft.Extensions.Time.Testing;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Offline;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.Offline;

public sealed class SuccessCacheTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly PeopleDirectory _site = new PeopleDirectory("site").With("jane", "own", ["jane@acme.test"], [], "jane@acme.test");

    [Fact]
    public async Task A_password_that_was_right_a_moment_ago_is_not_asked_again()
    {
        await using var bench = await StartAsync(Minute);
        await AskAsync(bench, "ok", "ok", "ok");
        Assert.Single(_site.Checked);
        bench.Clock.Advance(Minute);
        await AskAsync(bench, "ok");
        Assert.Equal(2, _site.Checked.Count);
        _site.Away = true;
        await AskAsync(bench, "ok");
        bench.Clock.Advance(Minute);
        await AskAsync(bench, "454: site is away");
    }

    [Fact]
    public async Task A_login_cache_of_zero_asks_the_directory_each_time()
    {
        await using var bench = await StartAsync(TimeSpan.Zero);
        await AskAsync(bench, "ok", "ok");
        Assert.Equal(2, _site.Checked.Count);
    }

    [Fact]
    public async Task Failures_are_never_kept_and_one_ends_what_is_kept_of_the_login()
    {
        await using var bench = await StartAsync(Minute);
        await AskAsync(bench, "ok");
        Assert.Equal("wrong password", await bench.LogInAsync("jane", "other"));
        Assert.Equal("wrong password", await bench.LogInAsync("jane", "other again"));
        _site.Passwords["jane"] = "new";
        Assert.Equal("wrong password", await bench.LogInAsync("jane", "own"));
        Assert.Equal("ok", await bench.LogInAsync("jane", "new"));
        Assert.Equal(["own", "other", "other again", "own", "new"], _site.Checked);
    }

    [Fact]
    public async Task A_look_up_in_a_session_that_finds_it_disabled_ends_it()
    {
        await using var bench = await StartAsync(Minute);
        var grant = await bench.GrantAsync("jane", "own");
        _site.Disabled.Add("jane");
        Assert.Equal("ok", await bench.LogInAsync("jane", "own")); // for a minute at most
        await bench.Service.AskAgainAsync(grant, "jane", TestContext.Current.CancellationToken);
        Assert.Equal("the account is disabled", await bench.LogInAsync("jane", "own"));
    }

    [Fact]
    public async Task The_operator_can_have_the_directory_asked_at_once()
    {
        await using var bench = await StartAsync(Minute);
        await AskAsync(bench, "ok");
        bench.Books.Forget("jane");
        _site.Disabled.Add("jane");
        Assert.Equal("the account is disabled", await bench.LogInAsync("jane", "own"));
    }

    [Fact]
    public void What_one_directory_said_is_not_anothers_word_and_other_options_make_another()
    {
        var cache = new SuccessCache(new SecretFingerprint(), new FakeTimeProvider());
        cache.Put(_site, "jane", "own", _site.People["jane"]);
        Assert.NotNull(cache.Find(_site, "jane", "own", Minute));
        Assert.Null(cache.Find(new PeopleDirectory("site"), "jane", "own", Minute));
        Assert.Null(cache.Find(new PeopleDirectory("other"), "jane", "own", Minute));
        Assert.Null(cache.Find(_site, "jane", "Own", Minute));
        Assert.Null(cache.Find(_site, "janeo", "wn", Minute));
    }

    [Fact]
    public void It_is_bounded_and_lets_go_of_the_oldest()
    {
        var cache = new SuccessCache(new SecretFingerprint(), new FakeTimeProvider());
        for (var i = 0; i <= SuccessCache.EntriesMax; i++)
        {
            cache.Put(_site, $"login{i}", "own", _site.People["jane"]);
        }

        Assert.Equal(SuccessCache.EntriesMax, cache.Count);
        Assert.Null(cache.Find(_site, "login0", "own", Minute));
        Assert.NotNull(cache.Find(_site, "login1", "own", Minute));
    }

    private static async Task AskAsync(IdentityBench bench, params string[] answers)
    {
        foreach (var answer in answers)
        {
            Assert.Equal(answer, await bench.LogInAsync("jane", "own"));
        }
    }

    private Task<IdentityBench> StartAsync(TimeSpan cache) => IdentityBench.StartAsync(
        options => options with { Directories = [new LocalDirectoryOptions("site") { LoginCache = cache }] }, _site);
}
