using System.Collections.Immutable;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>Rows to records and back. Times are microseconds since 1970 in UTC.</summary>
internal static class Rows
{
    public const string MessageColumns =
        "id, queue_id, received_at, login, session, client, message_id, reverse_path, body_type, smtputf8, envelope_id, dsn_return, "
        + "eight_bit, hold_reason, content_bytes, utf8_header, site";

    public const string RecipientColumns =
        "number, path, notify, orcpt, state, attempts, next_attempt_at, last_reply, delay_reported";

    public static long ToMicroseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset ToTime(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>Stands for an address in the store that can no longer be read: nobody's, and for the operator to see.</summary>
    public static readonly Mailbox Unreadable = MailboxParser.TryParse("unreadable@store.invalid", out var mailbox)
        ? mailbox!
        : throw new InvalidOperationException("no mailbox");

    public static (long RowId, SpooledMessage Message) ReadMessage(Statements statements, Row row)
    {
        _ = QueueId.TryParse(row.GetString(1), out var id);
        var text = row.GetString(7);
        var reversePath = text.Length == 0 ? ReversePath.Null
            : new ReversePath(MailboxParser.TryParse(text, out var mailbox) ? mailbox : Unreadable);
        var envelope = new Envelope(reversePath, [], (BodyType)row.GetInt32(8), row.GetBoolean(9),
            row.FindString(10), row.IsNull(11) ? null : (DsnReturn)row.GetInt32(11));
        var record = new MessageRecord(
            envelope, ToTime(row.GetInt64(2)), row.GetString(3), row.GetString(4), row.GetString(5), row.GetString(6))
        {
            HasEightBit = row.GetBoolean(12),
            HasUtf8Header = row.GetBoolean(15),
            HoldReason = row.FindString(13),
            Site = statements.SiteName(row.GetInt64(16)),
        };
        return (row.GetInt64(0), new SpooledMessage(id, record, row.GetInt64(14), []));
    }

    /// <summary>A path that no longer parses is damage: it reads as <see cref="Unreadable"/>, and says what is there.</summary>
    public static SpooledRecipient ReadRecipient(Row row)
    {
        var text = row.GetString(1);
        var readable = MailboxParser.TryParse(text, out var mailbox);
        return new SpooledRecipient(
            row.GetInt32(0),
            new ForwardPath(readable ? mailbox! : Unreadable),
            (DsnNotify)row.GetInt32(2),
            row.FindString(3),
            (RecipientState)row.GetInt32(4),
            row.GetInt32(5),
            ToTime(row.GetInt64(6)),
            readable ? row.GetString(7) : $"\"{text}\" is in the store and no address",
            row.GetBoolean(8));
    }

    public static Account ReadAccount(Row row) => new(
        row.GetString(0),
        new ScramVerifier(row.GetInt32(1), row.GetOctets(2), row.GetOctets(3), row.GetOctets(4)),
        [.. row.GetString(5).Split('\n', StringSplitOptions.RemoveEmptyEntries)],
        row.GetBoolean(6),
        ToTime(row.GetInt64(7)));

    /// <summary>The message with these recipients, in the spool and in its envelope.</summary>
    public static SpooledMessage With(this SpooledMessage message, IEnumerable<SpooledRecipient> recipients)
    {
        var rows = recipients.ToImmutableArray();
        var envelope = message.Record.Envelope with
        {
            Recipients = [.. rows.Select(row => new EnvelopeRecipient(row.Path, row.Notify, row.OriginalRecipient))],
        };
        return message with { Record = message.Record with { Envelope = envelope }, Recipients = rows };
    }
}
