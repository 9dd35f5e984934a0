using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>The spool in SQLite. One process has the directory's lock, so a claim is this process's until it ends.</summary>
internal sealed partial class SqliteSpool(GroupWriter writer, Readers readers, DiskRoom room, SqliteStoreOptions options) : ISpool
{
    public SpoolHealth Health =>
        Failed.IsCompleted ? SpoolHealth.Failed : room.Has(0) ? SpoolHealth.Accepting : SpoolHealth.DiskLow;

    public Task Failed => writer.Failed;

    internal DiskRoom Room => room;

    public bool HasRoomFor(long bytes) => !Failed.IsCompleted && room.Has(bytes);

    public string WhyNoRoom => Failed.IsCompleted
        ? "an earlier write or flush failed: nothing is written until the server is restarted"
        : room.Describe();

    public IPendingMessage Begin(QueueId id) => new SqlitePendingMessage(id, this, writer, options);

    public async ValueTask<IReadOnlyList<SpooledMessage>> ClaimDueAsync(DateTimeOffset now, int messagesMax, CancellationToken cancel) =>
        await writer.Enqueue(statements => Claim(statements, Rows.ToMicroseconds(now), messagesMax));

    public ValueTask<DateTimeOffset?> NextDueAsync(CancellationToken cancel) => readers.ReadAsync<DateTimeOffset?>(
        statements => statements.Number("SELECT min(next_attempt_at) FROM recipient WHERE state = 0") is { } due
            ? Rows.ToTime(due)
            : null,
        cancel);

    public async ValueTask ReleaseClaimAsync(QueueId id, IReadOnlyList<int> recipients, CancellationToken cancel) =>
        await writer.Enqueue(statements => recipients.Sum(number => statements.Run(
            "UPDATE recipient SET state = 0 WHERE message = (SELECT id FROM message WHERE queue_id = ?1) AND number = ?2 AND state = 1",
            id.ToString(), number)));

    public async ValueTask RecordAsync(
        IReadOnlyList<RecipientOutcome> outcomes, IReadOnlyList<NewMessage> reports, CancellationToken cancel) =>
        await writer.Enqueue(statements =>
        {
            foreach (var message in outcomes.GroupBy(outcome => outcome.Id))
            {
                Record(statements, message.Key, message);
            }

            return reports.Sum(report => MessageInsert.Of(report).Apply(statements));
        });

    public ValueTask<IContentReader?> OpenContentAsync(QueueId id, CancellationToken cancel) => readers.ReadAsync<IContentReader?>(
        statements =>
        {
            using var row = statements.Query("SELECT content, chunks, content_bytes FROM message WHERE queue_id = ?1", id.ToString());
            return row.Read()
                ? new SqliteContentReader(id, row.GetOctets(0), row.GetInt32(1), row.GetInt64(2), readers)
                : null;
        },
        cancel);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Removes a message just committed, unless it was committed as due and somebody has claimed it since.</summary>
    internal static bool TakeBack(Statements statements, QueueId id, bool claimedByUs)
    {
        if (statements.FindMessage(id) is not { } message)
        {
            return false; // claimed, relayed and settled already
        }

        const string taken = "SELECT 1 FROM recipient WHERE message = ?1 AND (state = 1 OR state >= 3) LIMIT 1";
        if (!claimedByUs && statements.Exists(taken, message))
        {
            return false;
        }

        Delete(statements, message, id);
        return true;
    }

    private static IReadOnlyList<SpooledMessage> Claim(Statements statements, long now, int messagesMax)
    {
        var due = new List<long>();
        using (var row = statements.Query(
            "SELECT message FROM recipient WHERE state = 0 AND next_attempt_at <= ?1 ORDER BY next_attempt_at LIMIT ?2",
            now, messagesMax * 10))
        {
            while (row.Read() && due.Count < messagesMax)
            {
                var message = row.GetInt64(0);
                if (!due.Contains(message))
                {
                    due.Add(message);
                }
            }
        }

        return [.. due.Select(message => ClaimMessage(statements, message, now)).OfType<SpooledMessage>()];
    }

    /// <summary>Null when nothing of it can be relayed: what cannot be read is held out, and says so to the operator.</summary>
    private static SpooledMessage? ClaimMessage(Statements statements, long message, long now)
    {
        SpooledMessage read;
        using (var found = statements.Query($"SELECT {Rows.MessageColumns} FROM message WHERE id = ?1", message))
        {
            if (!found.Read())
            {
                return null;
            }

            read = Rows.ReadMessage(statements, found).Message;
        }

        var recipients = new List<SpooledRecipient>();
        using (var row = statements.Query(
            $"SELECT {Rows.RecipientColumns} FROM recipient WHERE message = ?1 AND state = 0 AND next_attempt_at <= ?2", message, now))
        {
            while (row.Read())
            {
                recipients.Add(Rows.ReadRecipient(row) with { State = RecipientState.InProgress });
            }
        }

        var damaged = recipients.FindAll(recipient => recipient.Path.Mailbox == Rows.Unreadable
            || read.Record.Envelope.ReversePath.Mailbox == Rows.Unreadable);
        foreach (var recipient in damaged)
        {
            statements.Run("UPDATE recipient SET state = 2 WHERE message = ?1 AND number = ?2", message, recipient.Number);
            statements.Run("UPDATE message SET hold_reason = ?2 WHERE id = ?1", message, "an address in the store cannot be read");
            recipients.Remove(recipient);
        }

        statements.Run("UPDATE recipient SET state = 1 WHERE message = ?1 AND state = 0 AND next_attempt_at <= ?2", message, now);
        return recipients.Count == 0 ? null : read.With(recipients);
    }

    private static void Record(Statements statements, QueueId id, IEnumerable<RecipientOutcome> outcomes)
    {
        if (statements.FindMessage(id) is not { } message)
        {
            return; // the operator removed it meanwhile
        }

        foreach (var outcome in outcomes)
        {
            statements.Run(
                """
                UPDATE recipient SET state = ?3, next_attempt_at = ?4, attempts = attempts + ?5, last_reply = ?6, delay_reported = ?7
                WHERE message = ?1 AND number = ?2 AND state = 1
                """,
                message, outcome.Number, (int)outcome.State, Rows.ToMicroseconds(outcome.NextAttemptAt), outcome.CountsAsAttempt ? 1 : 0,
                outcome.KeptReply, outcome.DelayReported);
        }

        if (!statements.Exists("SELECT 1 FROM recipient WHERE message = ?1 AND state < 3 LIMIT 1", message))
        {
            Delete(statements, message, id);
        }
    }

    private static void Delete(Statements statements, long message, QueueId id)
    {
        statements.Run("DELETE FROM recipient WHERE message = ?1", message);
        if (statements.Number("DELETE FROM message WHERE id = ?1 RETURNING chunks", message) is > 0)
        {
            statements.Run("DELETE FROM chunk WHERE queue_id = ?1", id.ToString());
        }
    }
}
