using Sallyport.Mail.Addressing;
using Sallyport.Server.Sending;
using Sallyport.Server.State;
using Sallyport.Store;
using Sallyport.Store.Memory;
using Sallyport.Tests.Fakes;
using Xunit;

namespace Sallyport.Tests.Server.Sending;

/// <summary>Whom a login has written to, and how it is kept.</summary>
public sealed class ContactTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 15, 30, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 0x726fdb47dd0e0e31)]
    [InlineData(8, 0x93f5f5799a932462)]
    [InlineData(15, 0xa129ca6149be45e5)]
    public void The_hash_is_SipHash(int length, ulong expected)
    {
        var octets = Enumerable.Range(0, length).Select(i => (byte)i).ToArray(); // the vectors of its authors
        Assert.Equal(expected, new ContactHash(0x0706050403020100, 0x0f0e0d0c0b0a0908).Of(octets));
    }

    [Fact]
    public async Task Mailboxes_are_compared_as_everywhere_and_the_key_outlives_a_restart()
    {
        await using var store = new MemoryStore();
        var hash = new ContactHash(await SiteKeys.LoadAsync(store.Site().Keys, TestContext.Current.CancellationToken));
        Assert.Equal(hash.Of(Mailbox("Bob.Roe@Bücher.example")), hash.Of(Mailbox("bob.roe@xn--bcher-kva.example")));
        Assert.NotEqual(hash.Of(Mailbox("bob@example.com")), hash.Of(Mailbox("bob@example.org")));
        var again = new ContactHash(await SiteKeys.LoadAsync(store.Site().Keys, TestContext.Current.CancellationToken));
        Assert.Equal(hash.Of(Mailbox("bob@example.com")), again.Of(Mailbox("bob@example.com")));
    }

    [Fact]
    public void Only_what_is_new_of_a_segment_goes_to_the_store()
    {
        var list = Loaded([]);
        list.Learn(0x0102030405060708, Now, 1000);
        list.TakeChanges();
        list.Learn(0xfffefdfcfbfaf9f8, Now, 1000);
        var change = Assert.Single(list.TakeChanges());
        Assert.Equal(("jane", 0x01a20c9fd0d0, Now.AddDays(365)), (change.Login, change.Segment, change.ExpiresAt));
        Assert.Equal([0xfffefdfcfbfaf9f8], change.Hashes);
        Assert.False(list.HasChanges);
    }

    [Fact]
    public void What_was_stored_is_known_again_and_goes_on_where_it_ended()
    {
        var store = new SortedDictionary<long, HashSet<ulong>>();
        var list = Loaded([]);
        for (var i = 0; i < 1000; i++)
        {
            list.Learn((ulong)i, Now.AddSeconds(i / 100), 100_000);
            if (i % 100 == 0)
            {
                Apply(store, list);
            }
        }

        Apply(store, list);
        Assert.Equal(4, store.Count); // 256 in each
        var again = Loaded([.. store.Select(entry => new ContactSegment(entry.Key, [.. entry.Value]))]);
        Assert.Equal(1000, again.Count);
        Assert.All(Enumerable.Range(0, 1000), i => Assert.True(again.Knows((ulong)i, Now)));
        Assert.False(again.Knows(1000, Now));
        again.Learn(1000, Now.AddMinutes(1), 100_000);
        Apply(store, again);
        Assert.Equal(4, store.Count); // the last had room
    }

    [Fact]
    public void A_contact_lasts_a_year_from_its_last_use_and_is_written_again_once_a_month_at_most()
    {
        var list = Loaded([]);
        list.Learn(1, Now, 1000);
        list.TakeChanges();
        list.Learn(1, Now.AddDays(29), 1000);
        Assert.False(list.HasChanges);
        list.Learn(1, Now.AddDays(30), 1000);
        Assert.Equal(Now.AddDays(395), Assert.Single(list.TakeChanges()).ExpiresAt);
        Assert.True(list.Knows(1, Now.AddDays(394)));
        Assert.False(list.Knows(1, Now.AddDays(395)));
    }

    [Fact]
    public void At_the_limit_those_used_longest_ago_go_also_from_the_store()
    {
        var store = new SortedDictionary<long, HashSet<ulong>>();
        var list = Loaded([]);
        for (var i = 0; i < 5000; i++)
        {
            list.Learn((ulong)i, Now.AddSeconds(i), 2000);
            Assert.InRange(list.Count, 1, 2000);
        }

        Apply(store, list);
        Assert.True(list.Knows(4999, Now));
        Assert.False(list.Knows(0, Now));
        Assert.Equal(list.Count, store.Values.Sum(hashes => hashes.Count));
    }

    [Fact]
    public void While_the_store_has_not_told_nobody_is_new_and_what_is_learned_meanwhile_stays()
    {
        var list = new ContactList("jane");
        Assert.True(list.Knows(7, Now));
        list.Learn(7, Now, 1000);
        list.Load(new ContactSegments([new ContactSegment(1, [9])], 1), Now);
        Assert.Equal((true, 2), (list.Knows(7, Now), list.Count));
        Assert.False(list.Knows(8, Now));
    }

    private static void Apply(SortedDictionary<long, HashSet<ulong>> store, ContactList list)
    {
        foreach (var change in list.TakeChanges())
        {
            if (change.Hashes.Count == 0)
            {
                store.Remove(change.Segment);
                continue;
            }

            store.TryAdd(change.Segment, []);
            store[change.Segment].UnionWith(change.Hashes);
        }
    }

    private static ContactList Loaded(IReadOnlyList<ContactSegment> segments)
    {
        var list = new ContactList("jane");
        list.Load(new ContactSegments(segments, 1), Now);
        return list;
    }

    private static Mailbox Mailbox(string text) =>
        MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new FormatException(text);
}
