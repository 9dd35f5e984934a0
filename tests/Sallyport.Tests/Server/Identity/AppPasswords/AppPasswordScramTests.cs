using Sallyport.Mail.Sasl;
using Sallyport.Server.Admin.Handlers;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Passwords;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.AppPasswords;

/// <summary>One SCRAM exchange has one salt; a login's app passwords share it.</summary>
public sealed class AppPasswordScramTests
{
    private readonly ScramVerifier _own = new(4096, new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }, new byte[32], new byte[32]);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_go_along_with_the_logins_own_verifier_in_both_ways_to_write_them()
    {
        var directory = new ScriptedDirectory { Answers = new() { ["jane"] = "ok" }, Verifiers = new() { ["jane"] = _own } };
        await using var bench = await IdentityBench.StartAsync(null, directory);
        var made = await MakeAsync(bench, "jane");
        var found = await BeginAsync(bench, "jane");
        Assert.Equal((_own.Salt, _own.Iterations, _own.StoredKey), (found.Salt, found.Iterations, found.StoredKey));
        Assert.Equal([made.Id, made.Id], found.Also.Select(keys => keys.Name));
        Assert.Equal(Keys(made.Secret!), found.Also[0].StoredKey.ToArray());
        Assert.Equal(Keys(made.Secret!.Replace("-", "", StringComparison.Ordinal)), found.Also[1].StoredKey.ToArray());
        await bench.RestartAsync();
        Assert.Equal(2, (await BeginAsync(bench, "jane")).Also.Length);
        directory.Verifiers["jane"] = _own with { Salt = new byte[16] };
        Assert.Empty((await BeginAsync(bench, "jane")).Also);
    }

    [Fact]
    public async Task A_login_without_a_verifier_shows_the_salt_it_showed_before_it_had_any()
    {
        var site = new PeopleDirectory("site").With("jane", "own", ["jane@acme.test"], [], "jane@acme.test");
        await using var bench = await IdentityBench.StartAsync(null, site);
        var before = await BeginAsync(bench, "jane@acme.test");
        Assert.Empty(before.Also);
        await MakeAsync(bench, "jane@acme.test");
        var after = await BeginAsync(bench, "jane@acme.test");
        Assert.Equal(before.Salt.ToArray(), after.Salt.ToArray());
        Assert.Equal((before.Iterations, 2), (after.Iterations, after.Also.Length));
    }

    [Fact]
    public async Task What_was_proven_is_judged_like_any_app_password()
    {
        var directory = new ScriptedDirectory { Answers = new() { ["jane"] = "ok" }, Verifiers = new() { ["jane"] = _own } };
        await using var bench = await IdentityBench.StartAsync(
            options => options with { AppPasswords = new AppPasswordOptions { Required = ["*"] } }, directory);
        var made = await MakeAsync(bench, "jane", "203.0.113.0/24");
        var attempt = new LoginAttempt("S", IdentityBench.Office, SaslServer.Scram, "jane");
        Assert.Contains("is not for 192.0.2.7", (await bench.Service.FindProvenAsync(attempt, "local", made.Id!, Cancel)).Why,
            StringComparison.Ordinal);
        var there = attempt with { Client = System.Net.IPAddress.Parse("203.0.113.1") };
        Assert.Equal(made.Id, Assert.IsType<LoginVerdict.Granted>(
            await bench.Service.FindProvenAsync(there, "local", made.Id!, Cancel)).Grant.Through!.Id);
        Assert.Contains("app_passwords.required", (await bench.Service.FindProvenAsync(there, "local", "", Cancel)).Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_password_of_the_login_is_made_with_their_salt_and_a_removed_account_takes_them_along()
    {
        var directory = new ScriptedDirectory { Answers = new() { ["jane"] = "ok" }, Verifiers = new() { ["jane"] = _own } };
        await using var bench = await IdentityBench.StartAsync(null, directory);
        await using var admin = new LocalAdmin(bench.Site.ForAdmin(bench.Clock.GetUtcNow()));
        Assert.Null((await admin.CallAsync(UserOperations.Salt, new UserName("jane"), Cancel)).Salt);
        await MakeAsync(bench, "jane");
        var with = await admin.CallAsync(UserOperations.Salt, new UserName("Jane"), Cancel);
        Assert.Equal(4096, with.Iterations);
        Assert.Equal(_own.Salt.ToArray(), with.Salt);
        var user = new NewUser("jane", VerifierView.Of(PasswordHasher.CreateVerifier("own", with.Salt, with.Iterations!.Value)), []);
        Assert.True((await admin.CallAsync(UserOperations.Add, user, Cancel)).Done);
        var removed = await admin.CallAsync(UserOperations.Remove, new UserName("jane"), Cancel);
        Assert.Equal("jane removed; its app passwords are revoked", removed.Message);
        Assert.Empty(bench.Books.AppPasswords.All);
    }

    private byte[] Keys(string secret) => PasswordHasher.CreateVerifier(secret, _own.Salt, _own.Iterations).StoredKey.ToArray();

    private static async Task<ScramVerifier> BeginAsync(IdentityBench bench, string login)
    {
        var begun = await bench.Service.BeginScramAsync(new LoginAttempt("S", IdentityBench.Office, SaslServer.Scram, login), default, Cancel);
        return Assert.IsType<LoginVerdict.Verifier>(begun).Value;
    }

    private static async Task<MadeAppPassword> MakeAsync(IdentityBench bench, string login, params string[] networks)
    {
        var admin = new LocalAdmin(bench.Site.ForAdmin(bench.Clock.GetUtcNow()));
        return await admin.CallAsync(AppPasswordOperations.Add, new NewAppPassword(login, "phone", null, networks, []), Cancel);
    }
}
