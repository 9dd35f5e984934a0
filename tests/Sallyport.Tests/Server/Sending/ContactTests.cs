using Sallyport.Mail.Addressing;
using Sallyport.Server.Sending;
using Sallyport.Store;
using Sallyport.Store.Memory;
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
        var hash = await ContactHash.LoadAsync(store.Settings, TestContext.Current.CancellationToken);
        Assert.Equal(hash.Of(Mailbox("Bob.Roe@Bücher.example")), hash.Of(Mailbox("bob.roe@xn--bcher-kva.example")));
        Assert.NotEqual(hash.Of(Mailbox("bob@example.com")), hash.Of(Mailbox("bob@example.org")));
        var again = await ContactHash.LoadAsync(store.Settings, TestContext.Current.CancellationToken);
        Assert.Equal(hash.Of(Mailbox("bob@example.com")), again.Of(Mailbox("bob@example.com")));
    }

    /// <summary>Added to, never changed: this is on disk at a site.</summary>
    [Fact]
    public void Contacts_are_stored_as_they_were()
    {
        var list = Loaded([]);
        list.Learn(0x0102030405060708, Now, 1000);
        list.Learn(0xfffefdfcfbfaf9f8, Now, 1000);
        var fact = ((FactChange.Put)Assert.Single(list.TakeChanges())).Fact;
        Assert.Equal((FactKind.Contact, "jane\n01a20c9fd0d0"), (fact.Kind, fact.Key));
        Assert.Equal("010807060504030201F8F9FAFBFCFDFEFF", Convert.ToHexString(fact.Value.Span));
        Assert.Equal(Now.AddDays(365), fact.ExpiresAt);
        Assert.False(list.HasChanges);
    }

    [Fact]
    public void What_was_stored_is_known_again_and_goes_on_where_it_ended()
    {
        var store = new Dictionary<string, Fact>();
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
        var again = Loaded([.. store.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value)]);
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
        Assert.Equal(Now.AddDays(395), ((FactChange.Put)Assert.Single(list.TakeChanges())).Fact.ExpiresAt);
        Assert.True(list.Knows(1, Now.AddDays(394)));
        Assert.False(list.Knows(1, Now.AddDays(395)));
    }

    [Fact]
    public void At_the_limit_those_used_longest_ago_go_also_from_the_store()
    {
        var store = new Dictionary<string, Fact>();
        var list = Loaded([]);
        for (var i = 0; i < 5000; i++)
        {
            list.Learn((ulong)i, Now.AddSeconds(i), 2000);
            Assert.InRange(list.Count, 1, 2000);
        }

        Apply(store, list);
        Assert.True(list.Knows(4999, Now));
        Assert.False(list.Knows(0, Now));
        Assert.Equal(list.Count, store.Values.Sum(fact => (fact.Value.Length - 1) / sizeof(ulong)));
    }

    [Fact]
    public void While_the_store_has_not_told_nobody_is_new_and_what_is_learned_meanwhile_stays()
    {
        var list = new ContactList("jane");
        Assert.True(list.Knows(7, Now));
        list.Learn(7, Now, 1000);
        list.Load([new Fact(FactKind.Contact, "jane\n000000000001", new byte[] { 1, 9, 0, 0, 0, 0, 0, 0, 0 }, null),
            new Fact(FactKind.Contact, "jane\n000000000002", new byte[] { 2, 5, 5 }, null)]); // of a later version: left alone
        Assert.Equal((true, 2), (list.Knows(7, Now), list.Count));
        Assert.False(list.Knows(8, Now));
    }

    private static void Apply(Dictionary<string, Fact> store, ContactList list)
    {
        foreach (var change in list.TakeChanges())
        {
            if (change is FactChange.Put put)
            {
                store[put.Fact.Key] = put.Fact;
            }
            else
            {
                store.Remove(((FactChange.Remove)change).Key);
            }
        }
    }

    private static ContactList Loaded(IReadOnlyList<Fact> facts)
    {
        var list = new ContactList("jane");
        list.Load(facts);
        return list;
    }

    private static Mailbox Mailbox(string text) =>
        MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new FormatException(text);
}
