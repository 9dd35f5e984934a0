using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>The rows of one new message.</summary>
/// <param name="content">All of it, or, when it has chunks, the header alone.</param>
/// <param name="claim">This node's, when its relay takes the message at once; none otherwise.</param>
internal sealed class MessageInsert(
    QueueId id, MessageRecord record, int headerBytes, byte[] content, long contentBytes, int chunks, ClaimToken claim)
{
    private RecipientState _state;

    public static MessageInsert Of(NewMessage message)
    {
        byte[] content = [.. message.Header.Span, .. message.Body.Span];
        return new MessageInsert(message.Id, message.Record, message.Header.Length, content, content.Length, 0, ClaimToken.None);
    }

    /// <exception cref="StoreException">Its chunks are not all there: they were swept by a node that took us for dead.</exception>
    public int Apply(Statements statements)
    {
        if (chunks > 0 && statements.Number("SELECT count(*) FROM chunk WHERE queue_id = ?1", id.ToString()) != chunks)
        {
            throw new StoreException($"part of message {id} was swept: this node's lease had run out");
        }

        _state = record.HoldReason is not null ? RecipientState.Held
            : claim != ClaimToken.None && statements.IsLive(claim) ? RecipientState.InProgress : RecipientState.Due;
        var site = statements.SiteNumber(record.Site);
        var message = InsertMessage(statements, site);
        InsertRecipients(statements, site, message);
        statements.Tally.Message(site, 1, contentBytes);
        statements.Tally.Count(site, _state, record.Envelope.Recipients.Length);
        return record.Envelope.Recipients.Length;
    }

    public SpooledMessage ToMessage() => new(id, record, contentBytes,
        [.. record.Envelope.Recipients.Select((recipient, i) => new SpooledRecipient(i, recipient.Path, recipient.Notify,
            recipient.OriginalRecipient, _state, 0, record.ReceivedAt, "", false))],
        // without the cast null would become content of no octets
        _state == RecipientState.InProgress && chunks == 0 ? (ReadOnlyMemory<byte>?)content : null)
    { Claim = Held };

    private ClaimToken Held => _state == RecipientState.InProgress ? claim : ClaimToken.None;

    private long InsertMessage(Statements statements, long site)
    {
        var envelope = record.Envelope;
        return statements.Insert(
            """
            INSERT INTO message (site, queue_id, received_at, login, session, client, message_id, reverse_path, body_type, smtputf8,
              envelope_id, dsn_return, eight_bit, utf8_header, hold_reason, header_bytes, content_bytes, chunks, content)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
            """,
            site, id.ToString(), Rows.ToMicroseconds(record.ReceivedAt), record.Login, record.SessionId, record.ClientAddress, record.MessageId,
            envelope.ReversePath.Mailbox?.ToString() ?? "", (int)envelope.Body, envelope.SmtpUtf8, envelope.EnvelopeId,
            (int?)envelope.Return, record.HasEightBit, record.HasUtf8Header, record.HoldReason, headerBytes, contentBytes,
            chunks, content);
    }

    private void InsertRecipients(Statements statements, long site, long message)
    {
        const int Number = 2, Path = 4, Notify = 5, OriginalRecipient = 6;
        var insert = statements.Bound(
            "INSERT INTO recipient VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, '', 0)",
            message, Value.Null, site, Value.Null, Value.Null, Value.Null, (int)_state, Held.Value, Rows.ToMicroseconds(record.ReceivedAt));
        for (var i = 0; i < record.Envelope.Recipients.Length; i++)
        {
            var recipient = record.Envelope.Recipients[i];
            insert.Bind(Number, i);
            insert.Bind(Path, recipient.Path.Mailbox.ToString());
            insert.Bind(Notify, (int)recipient.Notify);
            insert.Bind(OriginalRecipient, recipient.OriginalRecipient);
            insert.Run();
        }
    }
}
