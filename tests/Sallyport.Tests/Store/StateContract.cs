using Microsoft.Extensions.Time.Testing;
using Sallyport.Store;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>What every store does with the state that the nodes of a site share. "One" and "other" are two of them.</summary>
public abstract class StateContract : AccountsContract
{
    protected FakeTimeProvider Time { get; } = new(Now);

    private IRegistry One => Store.Site("acme").Registry;

    private IRegistry Other => Store.Site("acme").Registry;

    private ICounters Counters => Store.Site("acme").Counters;

    private IContacts Contacts => Store.Site("acme").Contacts;

    [Fact]
    public async Task An_entry_is_what_it_was_last_written_to_and_each_kind_and_site_has_its_own()
    {
        Assert.Null(await One.FindAsync(RegistryKind.Ban, "192.0.2.7", Cancel));
        await One.WriteAsync([Put(RegistryKind.Ban, "192.0.2.7", 1), Put(RegistryKind.Grant, "192.0.2.7", 2)], Cancel);
        await Other.WriteAsync([Put(RegistryKind.Ban, "192.0.2.7", 3, Now.AddHours(1))], Cancel);
        var found = await One.FindAsync(RegistryKind.Ban, "192.0.2.7", Cancel);
        Assert.Equal("3 until 2026-11-24 09:15:30Z", $"{found!.Value!.Value.Span[0]} until {found.ExpiresAt:u}");
        Assert.Equal(2, (await One.FindAsync(RegistryKind.Grant, "192.0.2.7", Cancel))!.Value!.Value.Span[0]);
        Assert.Null(await Store.Site("else").Registry.FindAsync(RegistryKind.Ban, "192.0.2.7", Cancel));
    }

    [Fact]
    public async Task Entries_are_listed_by_the_beginning_of_their_key()
    {
        string[] keys = ["jane/2", "jane/1", "jan/9", "janet/3", "j", "k"];
        await One.WriteAsync([.. keys.Select(key => Put(RegistryKind.AppPassword, key, 1))], Cancel);
        Assert.Equal(["jane/1", "jane/2"], await KeysAsync("jane/"));
        Assert.Equal(["j", "jan/9", "jane/1", "jane/2", "janet/3", "k"], await KeysAsync(""));
        Assert.Empty(await KeysAsync("x"));
    }

    [Fact]
    public async Task Of_two_that_write_what_they_have_read_the_later_hears_what_the_other_wrote()
    {
        Assert.IsType<RegistryResult.Written>(await One.WriteAsync([Put(RegistryKind.Grant, "a", 1, expected: 0)], Cancel));
        var conflict = Assert.IsType<RegistryResult.Conflict>(await Other.WriteAsync(
            [Put(RegistryKind.Grant, "b", 9), Put(RegistryKind.Grant, "a", 2, expected: 0)], Cancel));
        Assert.Equal(("a", 1), (conflict.Write.Key, conflict.Found!.Value!.Value.Span[0]));
        Assert.Null(await One.FindAsync(RegistryKind.Grant, "b", Cancel)); // all or nothing
        var read = conflict.Found.Version;
        Assert.IsType<RegistryResult.Written>(await Other.WriteAsync([Put(RegistryKind.Grant, "a", 2, expected: read)], Cancel));
        Assert.IsType<RegistryResult.Conflict>(await One.WriteAsync([Remove(RegistryKind.Grant, "a", read)], Cancel));
        await Other.WriteAsync([Remove(RegistryKind.Grant, "a")], Cancel);
        Assert.Null(Assert.IsType<RegistryResult.Conflict>(await One.WriteAsync([Put(RegistryKind.Grant, "a", 3, expected: read)], Cancel)).Found);
    }

    [Fact]
    public async Task Of_many_that_make_the_same_entry_at_once_one_does()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(
            async () => await (i % 2 == 0 ? One : Other).WriteAsync([Put(RegistryKind.Grant, "a", (byte)i, expected: 0)], Cancel), Cancel)));
        Assert.Single(results.OfType<RegistryResult.Written>());
    }

    [Fact]
    public async Task What_one_writes_and_removes_the_other_reads_since_its_cursor()
    {
        await One.WriteAsync([Put(RegistryKind.Ban, "a", 1), Put(RegistryKind.Ban, "b", 1)], Cancel);
        var cursor = await Other.CursorAsync(Cancel);
        Assert.Empty((await Other.ChangesSinceAsync(cursor, 10, Cancel)).Entries);
        await One.WriteAsync([Remove(RegistryKind.Ban, "a"), Put(RegistryKind.Grant, "c", 2)], Cancel);
        var changes = await Other.ChangesSinceAsync(cursor, 10, Cancel);
        Assert.Equal(["Ban a gone", "Grant c 2"], changes.Entries.Select(Say));
        Assert.True(changes.IsComplete);
        Assert.Equal(changes.Entries.Select(entry => entry.Version), changes.Entries.Select(entry => entry.Version).Order());
        await One.WriteAsync([Put(RegistryKind.Ban, "a", 3)], Cancel);
        Assert.Equal(["Ban a 3"], (await Other.ChangesSinceAsync(changes.Cursor, 10, Cancel)).Entries.Select(Say));
        Assert.Equal(["Ban b 1", "Grant c 2", "Ban a 3"], (await Other.ChangesSinceAsync(0, 10, Cancel)).Entries.Select(Say));
    }

    [Fact]
    public async Task Many_changes_come_in_pieces_and_none_twice_or_never()
    {
        for (var i = 0; i < 7; i++)
        {
            await One.WriteAsync([Put(RegistryKind.Ban, $"{i}", 1)], Cancel);
        }

        List<string> seen = [];
        for (var (cursor, more) = (0L, true); more;)
        {
            var changes = await Other.ChangesSinceAsync(cursor, 3, Cancel);
            seen.AddRange(changes.Entries.Select(entry => entry.Key));
            (cursor, more) = (changes.Cursor, changes.Entries.Count == 3);
        }

        Assert.Equal(["0", "1", "2", "3", "4", "5", "6"], seen);
    }

    [Fact]
    public async Task Who_was_away_for_longer_than_removals_are_known_is_told_to_read_everything_again()
    {
        await One.WriteAsync([Put(RegistryKind.Ban, "a", 1), Put(RegistryKind.Ban, "b", 1)], Cancel);
        var cursor = await Other.CursorAsync(Cancel);
        await One.WriteAsync([Remove(RegistryKind.Ban, "a")], Cancel);
        var later = await Other.CursorAsync(Cancel);
        Assert.Equal(0, await One.SweepAsync(Cancel));
        Time.Advance(IRegistry.RemovalsKnownFor);
        Assert.Equal(1, await One.SweepAsync(Cancel));
        Assert.False((await Other.ChangesSinceAsync(cursor, 10, Cancel)).IsComplete);
        Assert.True((await Other.ChangesSinceAsync(later, 10, Cancel)).IsComplete);
        Assert.True((await Other.ChangesSinceAsync(0, 10, Cancel)).IsComplete);
    }

    [Fact]
    public async Task What_has_expired_is_as_if_it_never_was_and_can_be_swept()
    {
        await One.WriteAsync([Put(RegistryKind.AppPassword, "brief", 1, Now.AddMinutes(5)), Put(RegistryKind.AppPassword, "lasting", 1)], Cancel);
        Assert.Equal(0, await One.SweepAsync(Cancel));
        Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(await One.FindAsync(RegistryKind.AppPassword, "brief", Cancel));
        Assert.Equal(["lasting"], await KeysAsync(""));
        Assert.Equal(["AppPassword lasting 1"], (await Other.ChangesSinceAsync(0, 10, Cancel)).Entries.Select(Say));
        Assert.IsType<RegistryResult.Conflict>(await Other.WriteAsync([Put(RegistryKind.AppPassword, "brief", 1, expected: 1)], Cancel));
        Assert.Equal(1, await One.SweepAsync(Cancel));
        Assert.IsType<RegistryResult.Written>(await Other.WriteAsync([Put(RegistryKind.AppPassword, "brief", 2, expected: 0)], Cancel));
    }

    [Fact]
    public async Task What_many_add_at_once_is_the_sum_and_no_count_is_lost()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            async () =>
            {
                for (var i = 0; i < 25; i++)
                {
                    await Store.Site("acme").Counters.AddAsync([Add("jane", 1, 2), Add("jane", 2, 1), Add("bob", 1, 1)], Cancel);
                }
            }, Cancel)));
        Assert.Equal(["bob 1/0 100", "jane 1/0 200", "jane 2/0 100"], await CountsAsync(""));
        Assert.Empty(await Store.Site("else").Counters.ListAsync(CounterKind.Usage, "", Cancel));
    }

    [Fact]
    public async Task What_one_counts_the_other_reads_as_a_whole_since_its_cursor()
    {
        await Counters.AddAsync([Add("jane", 1, 2), Add("bob", 1, 1)], Cancel);
        var cursor = await Counters.CursorAsync(Cancel);
        await Counters.AddAsync([Add("jane", 1, 3), Add("jane", 1, -1), new(CounterKind.Usage, "jane", 1, 7, 5, Now.AddHours(1))], Cancel);
        var changes = await Counters.ChangesSinceAsync(cursor, 10, Cancel);
        Assert.Equal(["jane 1/0 4", "jane 1/7 5"], changes.Counters.Select(Say));
        Assert.Empty((await Counters.ChangesSinceAsync(changes.Cursor, 10, Cancel)).Counters);
        var piece = await Counters.ChangesSinceAsync(0, 1, Cancel);
        Assert.Equal(["bob 1/0 1"], piece.Counters.Select(Say));
        Assert.Equal(["jane 1/0 4"], (await Counters.ChangesSinceAsync(piece.Cursor, 1, Cancel)).Counters.Select(Say));
    }

    [Fact]
    public async Task A_count_lives_as_long_as_the_longest_that_was_asked_for_it_and_begins_anew_then()
    {
        await Counters.AddAsync([Add("jane", 1, 2, 60), Add("jane", 1, 1, 10)], Cancel);
        Time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(["jane 1/0 3"], await CountsAsync("j"));
        Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(await CountsAsync(""));
        Assert.Empty((await Counters.ChangesSinceAsync(0, 10, Cancel)).Counters);
        await Counters.AddAsync([Add("jane", 1, 5, 90)], Cancel);
        Assert.Equal(["jane 1/0 5"], await CountsAsync(""));
        Time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(1, await Counters.SweepAsync(Cancel));
        Assert.Equal(0, await Counters.SweepAsync(Cancel));
    }

    [Fact]
    public async Task Contacts_that_two_nodes_learn_are_united()
    {
        await Contacts.WriteAsync([new("jane", 1000, [1, 2], Now.AddDays(1)), new("bob", 1000, [9], Now.AddDays(1))], Cancel);
        var first = await Contacts.ListAsync("jane", 0, Cancel);
        await Contacts.WriteAsync([new("jane", 1000, [2, ulong.MaxValue], Now.AddDays(2)), new("jane", 2000, [4], Now.AddDays(2))], Cancel);
        await Contacts.WriteAsync([new("bob", 1000, [8], Now.AddDays(1))], Cancel);
        Assert.Equal(["1000: 1 2"], first.Segments.Select(Say));
        var all = await Contacts.ListAsync("jane", 0, Cancel);
        Assert.Equal(["1000: 1 2 18446744073709551615", "2000: 4"], all.Segments.Select(Say));
        Assert.Equal(["1000: 1 2 18446744073709551615", "2000: 4"],
            (await Contacts.ListAsync("jane", first.Cursor, Cancel)).Segments.Select(Say));
        Assert.Empty((await Contacts.ListAsync("jane", all.Cursor, Cancel)).Segments);
        await Contacts.WriteAsync([new("jane", 1000, [], default)], Cancel);
        Assert.Equal(["2000: 4"], (await Contacts.ListAsync("jane", 0, Cancel)).Segments.Select(Say));
        Time.Advance(TimeSpan.FromDays(2));
        Assert.Empty((await Contacts.ListAsync("jane", 0, Cancel)).Segments);
        Assert.Equal(2, await Contacts.SweepAsync(Cancel));
    }

    private static string Say(RegistryEntry entry) => $"{entry.Kind} {entry.Key} {(entry.Value is { } value ? value.Span[0] : "gone")}";

    private static string Say(Counter counter) => $"{counter.Key} {counter.Bucket}/{counter.Measure} {counter.Value}";

    private static string Say(ContactSegment segment) => $"{segment.Segment}: {string.Join(' ', segment.Hashes.Order())}";

    private static RegistryWrite Put(RegistryKind kind, string key, byte value, DateTimeOffset? expiresAt = null, long? expected = null) =>
        new(kind, key, new[] { value }, expiresAt, expected);

    private static RegistryWrite Remove(RegistryKind kind, string key, long? expected = null) => new(kind, key, null, null, expected);

    private static CounterDelta Add(string key, long bucket, long delta, int minutes = 60) =>
        new(CounterKind.Usage, key, bucket, 0, delta, Now.AddMinutes(minutes));

    private async Task<IEnumerable<string>> KeysAsync(string prefix) =>
        (await One.ListAsync(RegistryKind.AppPassword, prefix, Cancel)).Select(entry => entry.Key);

    private async Task<IEnumerable<string>> CountsAsync(string prefix) =>
        (await Counters.ListAsync(CounterKind.Usage, prefix, Cancel)).Select(Say);
}
