using System.Collections.Immutable;
using System.Security.Cryptography;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Smtp;
using Sallyport.Store;
using Xunit;

namespace Sallyport.Tests.Store;

/// <summary>Messages and times for the tests of the stores.</summary>
internal static class StoreSamples
{
    public static readonly DateTimeOffset Now = new(2026, 11, 24, 8, 15, 30, TimeSpan.Zero);

    public static readonly byte[] Header = "Subject: kept\r\n\r\n"u8.ToArray();

    public static QueueId Id(int number) =>
        QueueId.TryParse($"MESSAGE{number:D4}", out var id) ? id : throw new ArgumentOutOfRangeException(nameof(number));

    public static Mailbox Box(string text) => MailboxParser.TryParse(text, out var mailbox) ? mailbox! : throw new ArgumentException(text);

    public static MessageRecord Record(params string[] recipients) => new(
        new Envelope(new ReversePath(Box("jane@acme.test")),
            [.. recipients.Select(text => new EnvelopeRecipient(new ForwardPath(Box(text)), DsnNotify.Unspecified, null))],
            BodyType.SevenBit, false, null, null),
        Now, "jane@acme.test", "SESSION1", "192.0.2.7", "<1@laptop>");

    /// <summary>Octets that differ from place to place, so that a piece lost or swapped is noticed.</summary>
    public static byte[] Body(int length)
    {
        var octets = new byte[length];
        for (var i = 0; i < length; i += 32)
        {
            SHA256.HashData(BitConverter.GetBytes(i)).AsSpan(0, Math.Min(32, length - i)).CopyTo(octets.AsSpan(i));
        }

        return octets;
    }

    /// <summary>What a message of this body leaves as.</summary>
    public static byte[] Whole(int bodyLength) => [.. Header, .. Body(bodyLength)];

    /// <summary>The claim of the first client of a new store.</summary>
    public static readonly ClaimToken FirstClaim = new(1);

    public static RecipientOutcome Outcome(int id, int number, RecipientState state, string reply = "250 2.0.0 Ok", ClaimToken? claim = null) =>
        new(Id(id), number, state, Now.AddMinutes(10), reply, DelayReported: false) { Claim = claim ?? FirstClaim };

    public static ValueTask ReleaseClaimAsync(this ISpool spool, QueueId id, IReadOnlyList<int> recipients, CancellationToken cancel) =>
        spool.ReleaseClaimsAsync([new ClaimedRecipients(id, FirstClaim, recipients)], cancel);

    public static NewMessage Report(int id) =>
        new(Id(id), Record("jane@acme.test") with { Login = "" }, "Subject: report\r\n\r\n"u8.ToArray(), "text\r\n"u8.ToArray());

    public static async Task<CommitResult> KeepAsync(
        this ISpool spool, int id, MessageRecord record, byte[] body, bool claim = false)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var submission = spool.Begin(Id(id));
        foreach (var piece in body.Chunk(70_000))
        {
            await submission.WriteAsync(piece, cancel);
        }

        return await submission.CommitAsync(record, Header, claim, cancel);
    }

    public static async Task<byte[]?> ReadAsync(this ISpool spool, int id, CancellationToken cancel)
    {
        await using var reader = await spool.OpenContentAsync(Id(id), cancel);
        if (reader is null)
        {
            return null;
        }

        using var octets = new MemoryStream();
        while (await reader.ReadAsync(cancel) is { IsEmpty: false } piece)
        {
            octets.Write(piece.Span);
        }

        return octets.Length == reader.Length ? octets.ToArray()
            : throw new InvalidOperationException($"{octets.Length} octets, {reader.Length} announced");
    }

    /// <summary>Number and state of each recipient: "0 Due, 1 Held".</summary>
    public static string States(SpooledMessage? message) =>
        message is null ? "gone" : string.Join(", ", message.Recipients.Select(row => $"{row.Number} {row.State}"));

    public static ImmutableArray<string> Ids(IEnumerable<SpooledMessage> messages) => [.. messages.Select(message => message.Id.ToString()[7..])];

    /// <summary>A write that is none of mail's.</summary>
    public static async ValueTask MarkAsync(this IStore store, string name, byte[] value, CancellationToken cancel) =>
        await store.Site(ISiteStore.DefaultName).Registry.WriteAsync([new RegistryWrite(RegistryKind.Grant, name, value, null)], cancel);

    public static async ValueTask<byte[]?> MarkOfAsync(this IStore store, string name, CancellationToken cancel) =>
        (await store.Site(ISiteStore.DefaultName).Registry.FindAsync(RegistryKind.Grant, name, cancel))?.Value?.ToArray();
}
