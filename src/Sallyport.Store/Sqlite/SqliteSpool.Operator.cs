using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <content>What the operator sees and does.</content>
internal sealed partial class SqliteSpool
{
    public ValueTask<IReadOnlyList<SpooledMessage>> ListAsync(QueueFilter filter, CancellationToken cancel) =>
        readers.ReadAsync(statements => List(statements, filter), cancel);

    public async ValueTask<SpooledMessage?> FindAsync(QueueId id, CancellationToken cancel) => await readers.ReadAsync(
        statements =>
        {
            long rowId;
            SpooledMessage message;
            using (var row = statements.Query($"SELECT {Rows.MessageColumns} FROM message WHERE queue_id = ?1", id.ToString()))
            {
                if (!row.Read())
                {
                    return null;
                }

                (rowId, message) = Rows.ReadMessage(statements, row);
            }

            return message.With(Recipients(statements, rowId));
        },
        cancel);

    public ValueTask<SpoolTotals> TotalsAsync(CancellationToken cancel) => readers.ReadAsync(
        statements =>
        {
            using var messages = statements.Query("SELECT count(*), coalesce(sum(content_bytes), 0), min(received_at) FROM message");
            messages.Read();
            using var states = statements.Query("SELECT state, count(*) FROM recipient GROUP BY state");
            var counts = new long[5];
            while (states.Read())
            {
                counts[states.GetInt32(0)] = states.GetInt64(1);
            }

            return new SpoolTotals(messages.GetInt64(0), counts.Sum(), counts[0], counts[1], counts[2], messages.GetInt64(1),
                messages.IsNull(2) ? null : Rows.ToTime(messages.GetInt64(2)));
        },
        cancel);

    public async ValueTask<int> HoldAsync(QueueId id, string reason, CancellationToken cancel) => await writer.Enqueue(statements =>
    {
        if (statements.FindMessage(id) is not { } message)
        {
            return 0;
        }

        var held = statements.Run("UPDATE recipient SET state = 2 WHERE message = ?1 AND state = 0", message);
        statements.Run("UPDATE message SET hold_reason = ?2 WHERE id = ?1 AND ?3 > 0", message, reason, held);
        return held;
    });

    public async ValueTask<int> ReleaseHeldAsync(QueueId id, CancellationToken cancel) => await writer.Enqueue(statements =>
    {
        if (statements.FindMessage(id) is not { } message)
        {
            return 0;
        }

        statements.Run("UPDATE message SET hold_reason = NULL WHERE id = ?1", message);
        return statements.Run("UPDATE recipient SET state = 0, next_attempt_at = 0 WHERE message = ?1 AND state = 2", message);
    });

    public async ValueTask<int> RetryNowAsync(QueueId id, DateTimeOffset now, CancellationToken cancel) =>
        await writer.Enqueue(statements => statements.FindMessage(id) is not { } message
            ? 0
            : statements.Run("UPDATE recipient SET next_attempt_at = ?2 WHERE message = ?1 AND state = 0", message, Rows.ToMicroseconds(now)));

    public async ValueTask<bool> RemoveAsync(QueueId id, CancellationToken cancel) => await writer.Enqueue(statements =>
    {
        if (statements.FindMessage(id) is not { } message
            || statements.Exists("SELECT 1 FROM recipient WHERE message = ?1 AND state = 1 LIMIT 1", message))
        {
            return false;
        }

        Delete(statements, message, id);
        return true;
    });

    private static IReadOnlyList<SpooledMessage> List(Statements statements, QueueFilter filter)
    {
        var found = new List<(long RowId, SpooledMessage Message)>();
        using (var row = statements.Query(
            $"""
            SELECT {Rows.MessageColumns} FROM message m
            WHERE (?7 IS NULL OR site = ?7) AND (?1 IS NULL OR login = ?1) AND (?2 IS NULL OR reverse_path LIKE ?2 ESCAPE '\')
              AND (?3 IS NULL OR queue_id > ?3)
              AND (?4 IS NULL OR EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id AND r.state = ?4))
              AND (?5 IS NULL OR EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id AND r.path LIKE ?5 ESCAPE '\'))
            ORDER BY queue_id LIMIT ?6
            """,
            filter.Login, Like(filter.Sender), filter.After?.ToString(), (int?)filter.State,
            Like(filter.Recipient), filter.MessagesMax,
            filter.Site is { } site ? statements.FindSite(site) : Value.Null))
        {
            while (row.Read())
            {
                found.Add(Rows.ReadMessage(statements, row));
            }
        }

        return [.. found.Select(one => one.Message.With(Recipients(statements, one.RowId)))];
    }

    private static List<SpooledRecipient> Recipients(Statements statements, long message)
    {
        var recipients = new List<SpooledRecipient>();
        using var row = statements.Query($"SELECT {Rows.RecipientColumns} FROM recipient WHERE message = ?1 ORDER BY number", message);
        while (row.Read())
        {
            recipients.Add(Rows.ReadRecipient(row));
        }

        return recipients;
    }

    /// <summary>Part of an address, its own wildcards made plain.</summary>
    private static string? Like(string? part) => part is null ? null : "%" + part.Replace(@"\", @"\\", StringComparison.Ordinal)
        .Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal) + "%";
}
