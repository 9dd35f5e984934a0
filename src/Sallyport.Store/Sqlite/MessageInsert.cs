using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>The rows of one new message.</summary>
internal sealed class MessageInsert(
    QueueId id, MessageRecord record, int headerBytes, byte[] content, long contentBytes, int chunks, bool claim)
{
    public static MessageInsert Of(NewMessage message)
    {
        byte[] content = [.. message.Header.Span, .. message.Body.Span];
        return new MessageInsert(message.Id, message.Record, message.Header.Length, content, content.Length, 0, claim: false);
    }

    private RecipientState State =>
        record.HoldReason is not null ? RecipientState.Held : claim ? RecipientState.InProgress : RecipientState.Due;

    public int Apply(Statements statements)
    {
        var envelope = record.Envelope;
        var site = statements.SiteNumber(record.Site);
        var receivedAt = Rows.ToMicroseconds(record.ReceivedAt);
        var message = statements.Insert(
            """
            INSERT INTO message (site, queue_id, received_at, login, session, client, message_id, reverse_path, body_type, smtputf8,
              envelope_id, dsn_return, eight_bit, utf8_header, hold_reason, header_bytes, content_bytes, chunks, content)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
            """,
            site, id.ToString(), receivedAt, record.Login, record.SessionId, record.ClientAddress, record.MessageId,
            envelope.ReversePath.Mailbox?.ToString() ?? "", (int)envelope.Body, envelope.SmtpUtf8, envelope.EnvelopeId,
            (int?)envelope.Return, record.HasEightBit, record.HasUtf8Header, record.HoldReason, headerBytes, contentBytes,
            chunks, content);
        for (var i = 0; i < envelope.Recipients.Length; i++)
        {
            var recipient = envelope.Recipients[i];
            statements.Run(
                "INSERT INTO recipient VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, '', 0)",
                message, i, site, recipient.Path.Mailbox.ToString(), (int)recipient.Notify, recipient.OriginalRecipient, (int)State, receivedAt);
        }

        return envelope.Recipients.Length;
    }

    public SpooledMessage ToMessage() => new(id, record, contentBytes,
        [.. record.Envelope.Recipients.Select((recipient, i) => new SpooledRecipient(i, recipient.Path, recipient.Notify,
            recipient.OriginalRecipient, State, 0, record.ReceivedAt, "", false))],
        // without the cast null would become content of no octets
        State == RecipientState.InProgress && chunks == 0 ? (ReadOnlyMemory<byte>?)content : null);
}
