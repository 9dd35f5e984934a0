using System.Runtime.Versioning;
using System.Security.Cryptography;
using Sallyport.Mail.Smtp;
using Sallyport.Store;
using Sallyport.Tests.Tidy;
using Xunit;
using static Sallyport.Tests.Store.StoreSamples;

namespace Sallyport.Tests.Store;

/// <summary>
/// Files as releases of the time wrote them, 1 and 2 as a crash left them, 3 as an upgrade from 2 left it, with mail in each: this
/// release takes on every message, octet, account and key. A schema that was published is never edited: what comes after it is another file.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class GoldenDatabaseTests : IDisposable
{
    private readonly StoreFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1", "1e89d864b85b812bec17eb9036f8f04644e6b479affc2f6bcac6fda646c26abd")]
    [InlineData("2", "881d48bde3c85f58f598b6cd779b30c2f81da931122ec1de61cff8403599f5ae")]
    [InlineData("3", "b927a7ba03f8ccf24938622645e83cedc8473ffcc91ed4cde07efeee38ee879f")]
    public void A_published_schema_is_as_it_was_published(string version, string hash)
    {
        var text = SourceTree.Read($"src/Sallyport.Store/Sqlite/schema-{version}.sql");
        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Mail_of_each_schema_is_taken_on_whole(int version)
    {
        await using var store = await OpenAsync(version);
        Assert.Equal(["0001", "0002", "0003", "0004", "0005"], Ids(await store.Spool.ListAsync(new QueueFilter(Site: "default"), Cancel)));
        Assert.Equal(
            ["0 Due, 1 Due", "0 Held", "0 Relayed, 1 Due, 2 Due", "0 Due", "0 Due"], // what was in progress at the crash is due
            (await store.Spool.ListAsync(new QueueFilter(), Cancel)).Select(States));
        int[] bodies = [100, 5000, 300, 400_000, 0];
        for (var i = 0; i < bodies.Length; i++)
        {
            Assert.Equal(Whole(bodies[i]), await store.Spool.ReadAsync(i + 1, Cancel));
        }

        var bytes = bodies.Sum() + (bodies.Length * Header.Length);
        Assert.Equal(new SpoolTotals(5, 8, 6, 0, 1, bytes, Now), await store.Spool.TotalsAsync(Cancel));
        Assert.Equal(4L, _folder.Count("chunk")); // those of the message that never came are gone
        Assert.Equal(4, (await store.Spool.ClaimDueAsync(Now.AddHours(2), 10, Cancel)).Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task All_that_was_known_of_a_message_is_known_after_an_upgrade(int version)
    {
        await using var store = await OpenAsync(version);
        Assert.Equal("over the limit", (await store.Spool.FindAsync(Id(2), Cancel))!.Record.HoldReason);
        var deferred = (await store.Spool.FindAsync(Id(3), Cancel))!.Recipients[1];
        Assert.Equal((1, Now.AddHours(1), "451 4.7.1 greylisted", true),
            (deferred.Attempts, deferred.NextAttemptAt, deferred.LastReply, deferred.DelayReported));
        var record = (await store.Spool.FindAsync(Id(5), Cancel))!.Record;
        Assert.Equal((true, true, "", "SESSION2", "2001:db8::7", "", Now), (record.HasEightBit, record.HasUtf8Header, record.Login,
            record.SessionId, record.ClientAddress, record.MessageId, record.ReceivedAt));
        var envelope = record.Envelope;
        Assert.Equal(("<jürgen@bücher.example>", BodyType.EightBitMime, true, "QQ314159", DsnReturn.Headers),
            (envelope.ReversePath.ToString(), envelope.Body, envelope.SmtpUtf8, envelope.EnvelopeId, envelope.Return));
        var recipient = Assert.Single(envelope.Recipients);
        Assert.Equal(("<用户@例え.jp>", DsnNotify.Success | DsnNotify.Delay, "rfc822;bob+x@example.com"),
            (recipient.Path.ToString(), recipient.Notify, recipient.OriginalRecipient));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Accounts_and_keys_of_an_older_schema_belong_to_the_default_site(int version)
    {
        await using var store = await OpenAsync(version);
        var site = store.Site(ISiteStore.DefaultName);
        Assert.Equal(["bob", "jane@acme.test"], (await site.Accounts.ListAsync(Cancel)).Select(account => account.Login));
        var jane = (await site.Accounts.FindAsync("jane@acme.test", Cancel))!;
        Assert.Equal(["sales@acme.test", "info@acme.test"], jane.Addresses.AsEnumerable());
        Assert.Equal((false, 4096, Now), (jane.Disabled, jane.Verifier.Iterations, jane.CreatedAt));
        Assert.Equal(Body(32), jane.Verifier.StoredKey.ToArray());
        Assert.Equal(Body(33)[1..], jane.Verifier.ServerKey.ToArray());
        Assert.True((await site.Accounts.FindAsync("bob", Cancel))!.Disabled);
        Assert.Equal([1, 2, 3], await site.Keys.GetOrAddAsync("scram-key", () => throw new InvalidOperationException("made anew"), Cancel));
    }

    private Task<Sallyport.Store.Sqlite.SqliteStore> OpenAsync(int version)
    {
        Directory.CreateDirectory(_folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Copy(
            Path.Combine(SourceTree.Root, $"tests/Sallyport.Tests/Store/Golden/schema-{version}.db"), Path.Combine(_folder.Path, "sallyport.db"));
        return _folder.OpenAsync(Cancel);
    }
}
