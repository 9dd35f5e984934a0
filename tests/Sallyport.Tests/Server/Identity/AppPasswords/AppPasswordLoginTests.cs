using Sallyport.Mail.Policy;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.AppPasswords;

/// <summary>Logins with app passwords.</summary>
public sealed class AppPasswordLoginTests
{
    private readonly PeopleDirectory _site = new PeopleDirectory("site")
        .With("jane", "own", ["jane@acme.test", "info@acme.test"], ["Travellers"], "jane doe/acme", "jane@acme.test")
        .With("bob", "bobs", ["bob@acme.test"], []);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_app_password_works_by_every_name_of_its_login_and_no_directory_sees_it()
    {
        await using var bench = await IdentityBench.StartAsync(null, _site);
        var (password, secret) = await bench.MakeAsync("jane");
        foreach (var name in (string[])["jane", "Jane Doe/Acme", "jane@acme.test"])
        {
            Assert.Equal("ok", await bench.LogInAsync(name, secret));
            Assert.Equal("ok", await bench.LogInAsync(name, secret.ToUpperInvariant().Replace("-", " ", StringComparison.Ordinal)));
        }

        Assert.Equal("ok", await bench.LogInAsync("jane", "own"));
        Assert.Equal(["own"], _site.Checked);
        var grant = await bench.GrantAsync("jane", secret);
        Assert.Equal(("jane", "site", new AppPasswordName(password.Id, "phone")), (grant.Login, grant.Directory, grant.Through));
        Assert.Equal("192.0.2.7", bench.Books.AppPasswords.LastUse(password)!.From);
    }

    [Fact]
    public async Task What_is_wrong_with_it_is_said_to_the_administrator_and_no_directory_sees_it()
    {
        await using var bench = await IdentityBench.StartAsync(null, _site);
        var (brief, expired) = await bench.MakeAsync("jane", "old phone", life: TimeSpan.FromDays(90));
        var (home, local) = await bench.MakeAsync("jane", "printer", network: "192.0.2.0/24");
        var (gone, revoked) = await bench.MakeAsync("jane", "stolen");
        await bench.Books.AppPasswords.RevokeAsync("jane", gone.Id, Cancel);
        Assert.Equal("ok", await bench.LogInAsync("jane", expired));
        bench.Clock.Advance(TimeSpan.FromDays(90));
        Assert.Equal($"app password \"old phone\" ({brief.Id}) of jane expired on 2027-02-22 08:00Z", await bench.LogInAsync("jane", expired));
        Assert.Equal($"app password \"printer\" ({home.Id}) of jane is not for 198.51.100.9, only for 192.0.2.0/24",
            await bench.LogInAsync("jane", local, IdentityBench.Cafe));
        Assert.Equal("an app password that was revoked, or never was one here", await bench.LogInAsync("jane", revoked));
        Assert.Equal($"app password \"printer\" ({home.Id}) is jane's", await bench.LogInAsync("bob", local));
        Assert.Empty(_site.Checked);
    }

    [Fact]
    public async Task The_directory_has_the_last_word_on_whether_the_login_may_log_in()
    {
        await using var bench = await IdentityBench.StartAsync(null, _site);
        var (_, secret) = await bench.MakeAsync("jane");
        _site.Disabled.Add("jane");
        Assert.Equal("the account is disabled", await bench.LogInAsync("jane", secret));
        _site.Disabled.Clear();
        _site.Away = true;
        Assert.Equal("454: site is away", await bench.LogInAsync("jane", secret, IdentityBench.Cafe));
        _site.Away = false;
        bench.Clock.Advance(bench.Options.Guard.StaleRecheck);
        Assert.Equal("ok", await bench.LogInAsync("jane", secret));
        _site.People.Clear();
        Assert.Equal("unknown login", await bench.LogInAsync("jane", secret, IdentityBench.Cafe));
    }

    [Fact]
    public async Task A_directory_that_shows_nobody_is_not_asked_and_the_log_says_so()
    {
        await using var bench = await IdentityBench.StartAsync(null, new MuteDirectory("imap"), new PeopleDirectory("local"));
        var (_, secret) = await bench.MakeAsync("jane@acme.test");
        var grant = await bench.GrantAsync("jane@acme.test", secret);
        Assert.Equal(["jane@acme.test"], grant.Addresses);
        Assert.Equal("directory imap cannot say whether the login still exists", grant.Note);
    }

    [Fact]
    public async Task A_network_where_it_is_refused_takes_nothing_from_the_one_it_is_for()
    {
        await using var bench = await IdentityBench.StartAsync(null, _site);
        var (_, secret) = await bench.MakeAsync("jane", network: "192.0.2.0/24");
        Assert.Contains("is not for", await bench.LogInAsync("jane", secret, IdentityBench.Cafe), StringComparison.Ordinal);
        Assert.Equal("the same wrong secret again", await bench.LogInAsync("jane", secret, IdentityBench.Cafe));
        Assert.Equal("ok", await bench.LogInAsync("jane", secret));
    }

    [Fact]
    public async Task Guesses_at_app_passwords_are_counted_like_any_other()
    {
        await using var bench = await IdentityBench.StartAsync(null, _site);
        for (var i = 0; i < bench.Options.Guard.FailuresPerLoginAndNetwork; i++)
        {
            Assert.StartsWith("an app password that", await bench.LogInAsync("jane", AppPasswordText.Draw()));
        }

        Assert.StartsWith("454: 5 failed logins", await bench.LogInAsync("jane", AppPasswordText.Draw()));
    }

    [Theory]
    [InlineData("*", 0)]
    [InlineData("jane", 0)]
    [InlineData("group:travellers", 1)]
    public async Task Where_one_is_required_the_logins_own_password_is_refused_right_or_wrong_alike(string whom, int asked)
    {
        await using var bench = await IdentityBench.StartAsync(o => o with { AppPasswords = new AppPasswordOptions { Required = [whom] } }, _site);
        const string Refused = "the login's own password is refused: app_passwords.required asks for an app password";
        Assert.Equal(Refused, await bench.LogInAsync("jane", "own"));
        Assert.Equal(asked, _site.Checked.Count);
        Assert.Equal(whom == "*" ? Refused : "ok", await bench.LogInAsync("bob", "bobs"));
        var (_, secret) = await bench.MakeAsync("jane");
        Assert.Equal("ok", await bench.LogInAsync("jane", secret));
    }

    [Fact]
    public async Task A_name_the_site_did_not_list_does_not_get_around_it()
    {
        await using var bench = await IdentityBench.StartAsync(o => o with { AppPasswords = new AppPasswordOptions { Required = ["jane"] } }, _site);
        Assert.Contains("app_passwords.required", await bench.LogInAsync("jane@acme.test", "own"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_goes_on_only_as_long_as_its_app_password_holds()
    {
        await using var bench = await IdentityBench.StartAsync(null, _site);
        var (kept, secret) = await bench.MakeAsync("jane", life: TimeSpan.FromHours(1), sender: "info@acme.test");
        var grant = await bench.GrantAsync("jane", secret);
        Assert.Null(bench.Service.RevokedSince(grant));
        var again = await bench.Service.AskAgainAsync(grant, "jane", Cancel);
        Assert.Equal("info@acme.test", Assert.IsType<LoginVerdict.Granted>(again).Grant.Only[0].ToString());
        bench.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal($"its app password \"phone\" ({kept.Id}) has expired", bench.Service.RevokedSince(grant)?.Why);
        await bench.Books.AppPasswords.RevokeAsync("jane", null, Cancel);
        Assert.Equal("its app password was revoked", bench.Service.RevokedSince(grant)?.Why);
        Assert.Equal(LoginReason.AppPasswordRevoked, (await bench.Service.AskAgainAsync(grant, "jane", Cancel))?.Reason);
    }
}
