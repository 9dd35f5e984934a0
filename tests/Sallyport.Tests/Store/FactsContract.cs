using Microsoft.Extensions.Time.Testing;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>What every store does with facts that may expire.</summary>
public abstract class FactsContract : AccountsContract
{
    protected FakeTimeProvider Time { get; } = new(Now);

    private IFacts Facts => Store.Facts;

    [Fact]
    public async Task A_fact_is_what_it_was_last_put_to()
    {
        Assert.Null(await Facts.FindAsync(FactKind.Ban, "192.0.2.7", Cancel));
        await Facts.SaveAsync([Put(FactKind.Ban, "192.0.2.7", 1), Put(FactKind.Grant, "192.0.2.7", 2)], Cancel);
        await Facts.SaveAsync([Put(FactKind.Ban, "192.0.2.7", 3, Now.AddHours(1))], Cancel);
        var found = await Facts.FindAsync(FactKind.Ban, "192.0.2.7", Cancel);
        Assert.Equal("3 until 2026-11-24 09:15:30Z", $"{found!.Value.Span[0]} until {found.ExpiresAt:u}");
        Assert.Equal(2, (await Facts.FindAsync(FactKind.Grant, "192.0.2.7", Cancel))!.Value.Span[0]);
    }

    [Fact]
    public async Task Facts_are_listed_by_the_beginning_of_their_key()
    {
        string[] keys = ["jane/2", "jane/1", "jan/9", "janet/3", "j", "k"];
        await Facts.SaveAsync([.. keys.Select(key => Put(FactKind.AppPassword, key, 1))], Cancel);
        Assert.Equal(["jane/1", "jane/2"], await KeysAsync("jane/"));
        Assert.Equal(["j", "jan/9", "jane/1", "jane/2", "janet/3", "k"], await KeysAsync(""));
        Assert.Empty(await KeysAsync("x"));
    }

    [Fact]
    public async Task Changes_are_applied_in_their_order()
    {
        FactChange remove = new FactChange.Remove(FactKind.AppPassword, "a");
        await Facts.SaveAsync(
            [Put(FactKind.AppPassword, "a", 1), remove, Put(FactKind.AppPassword, "b", 1), Put(FactKind.AppPassword, "b", 2)], Cancel);
        Assert.Equal(["b"], await KeysAsync(""));
        await Facts.SaveAsync([remove], Cancel);
        await Facts.SaveAsync([], Cancel);
        Assert.Equal(2, (await Facts.FindAsync(FactKind.AppPassword, "b", Cancel))!.Value.Span[0]);
    }

    [Fact]
    public async Task What_has_expired_is_as_if_it_never_was_and_can_be_swept()
    {
        await Facts.SaveAsync([Put(FactKind.AppPassword, "brief", 1, Now.AddMinutes(5)), Put(FactKind.AppPassword, "lasting", 1)], Cancel);
        Assert.Equal(0, await Facts.SweepAsync(Cancel));
        Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(await Facts.FindAsync(FactKind.AppPassword, "brief", Cancel));
        Assert.Equal(["lasting"], await KeysAsync(""));
        Assert.Equal(1, await Facts.SweepAsync(Cancel));
        Assert.Equal(["lasting"], await KeysAsync(""));
    }

    private async Task<IEnumerable<string>> KeysAsync(string prefix) =>
        (await Facts.ListAsync(FactKind.AppPassword, prefix, Cancel)).Select(fact => fact.Key);

    private static FactChange.Put Put(FactKind kind, string key, byte value, DateTimeOffset? expiresAt = null) =>
        new(new Fact(kind, key, new[] { value }, expiresAt));
}
