using System.Text;
using Sallyport.Store;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Identity.AppPasswords;

public sealed class AppPasswordRegistryTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_made_lasts_and_what_is_revoked_does_not_come_back()
    {
        await using var bench = await IdentityBench.StartAsync(null);
        var (kept, _) = await bench.MakeAsync("jane", "laptop", TimeSpan.FromDays(30), "192.0.2.0/24", "*@events.acme.test");
        var (gone, _) = await bench.MakeAsync("jane");
        bench.Books.AppPasswords.Used(kept, IdentityBench.Office, bench.Clock.GetUtcNow());
        bench.Books.AppPasswords.Used(gone, IdentityBench.Office, bench.Clock.GetUtcNow());
        Assert.Equal(gone.Id, Assert.Single(await bench.Books.AppPasswords.RevokeAsync("jane", gone.Id, Cancel)).Id);
        bench.Books.AppPasswords.Used(gone, IdentityBench.Office, bench.Clock.GetUtcNow());
        await bench.RestartAsync();
        var book = bench.Books.AppPasswords;
        var again = Assert.Single(book.All);
        Assert.Equal(
            (kept.Id, "laptop", kept.CreatedAt, kept.ExpiresAt, "192.0.2.0/24", "*@events.acme.test"),
            (again.Id, again.Label, again.CreatedAt, again.ExpiresAt, again.Networks[0].ToString(), again.Senders[0].ToString()));
        Assert.Equal((bench.Clock.GetUtcNow(), "192.0.2.7"), (book.LastUse(again)!.At, book.LastUse(again)!.From));
        Assert.Equal(2, (await bench.Store.EntriesAsync(RegistryKind.AppPassword)).Count);
    }

    [Fact]
    public async Task A_login_has_so_many_and_expired_ones_do_not_count()
    {
        await using var bench = await IdentityBench.StartAsync(o => o with { AppPasswords = o.AppPasswords with { PerLogin = 2 } });
        await bench.MakeAsync("jane", life: TimeSpan.FromHours(1));
        await bench.MakeAsync("jane");
        await Assert.ThrowsAsync<InvalidOperationException>(() => bench.MakeAsync("jane"));
        await bench.MakeAsync("bob");
        bench.Clock.Advance(TimeSpan.FromHours(1));
        await bench.MakeAsync("jane");
    }

    [Fact]
    public async Task The_store_has_no_secret_and_another_store_another_digest()
    {
        await using var bench = await IdentityBench.StartAsync(null);
        var (_, secret) = await bench.MakeAsync("jane");
        var bare = secret.Replace("-", "", StringComparison.Ordinal);
        foreach (var fact in await bench.Store.EntriesAsync(RegistryKind.AppPassword))
        {
            var stored = fact.Key + Encoding.UTF8.GetString(fact.Value!.Value.Span);
            Assert.DoesNotContain(bare, stored, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(secret, stored, StringComparison.OrdinalIgnoreCase);
        }

        await using var other = await IdentityBench.StartAsync(null);
        Assert.NotEqual(bench.Books.AppPasswords.Digest(bare), other.Books.AppPasswords.Digest(bare));
    }

    /// <summary>What a store of an earlier version has.</summary>
    [Fact]
    public async Task The_stored_form_of_an_app_password_only_grows()
    {
        await using var bench = await IdentityBench.StartAsync(null);
        await bench.Store.Site().Registry.WriteAsync(
        [
            Put("jane\nk7f3x2", """
                {"label":"phone","created_at":"2026-11-24T08:00:00+00:00","expires_at":"2027-11-24T08:00:00+00:00",
                "networks":["192.0.2.0/24","2001:db8::/64"],"senders":["jane@acme.test"],"digest":"AAECAw=="}
                """),
            Put("bob\nzzzzzz", """{"label":"tablet","created_at":"2026-11-24T08:00:00+00:00","networks":[],"senders":[],"digest":"BAUG"}"""),
            Put("jane\nk7f3x2\nused", """{"at":"2026-11-24T09:00:00+00:00","from":"192.0.2.9"}"""),
        ], Cancel);
        await bench.RestartAsync();
        var phone = bench.Books.AppPasswords.Find("k7f3x2")!;
        Assert.Equal(("jane", "phone", 2, 1, 4), (phone.Login, phone.Label, phone.Networks.Length, phone.Senders.Length, phone.Digest.Length));
        Assert.Equal("192.0.2.9", bench.Books.AppPasswords.LastUse(phone)!.From);
        Assert.Null(bench.Books.AppPasswords.Find("zzzzzz")!.ExpiresAt);
    }

    private static RegistryWrite Put(string key, string json) => new(RegistryKind.AppPassword, key, Encoding.UTF8.GetBytes(json), null);
}
