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
            using var row = statements.Query(
                "SELECT coalesce(sum(messages), 0), coalesce(sum(bytes), 0), coalesce(sum(due), 0), coalesce(sum(in_progress), 0), "
                + "coalesce(sum(held), 0), coalesce(sum(settled), 0), (SELECT received_at FROM message ORDER BY id LIMIT 1) FROM total");
            row.Read();
            var (due, inProgress, held) = (row.GetInt64(2), row.GetInt64(3), row.GetInt64(4));
            return new SpoolTotals(row.GetInt64(0), due + inProgress + held + row.GetInt64(5), due, inProgress, held, row.GetInt64(1),
                row.IsNull(6) ? null : Rows.ToTime(row.GetInt64(6)));
        },
        cancel);

    public async ValueTask<int> HoldAsync(QueueId id, string reason, CancellationToken cancel) =>
        await writer.Enqueue(statements => Hold(statements, id, reason));

    public async ValueTask<int> ReleaseHeldAsync(QueueId id, CancellationToken cancel) => await writer.Enqueue(statements =>
    {
        if (statements.FindMessage(id) is not { } message)
        {
            return 0;
        }

        return ReleaseHeld(statements, message);
    });

    public async ValueTask<int> RetryNowAsync(QueueId id, DateTimeOffset now, CancellationToken cancel) =>
        await writer.Enqueue(statements => statements.FindMessage(id) is not { } message
            ? 0
            : statements.Run(
                $"UPDATE recipient SET next_attempt_at = ?2 WHERE message = ?1 AND state = {States.Due}", message.Row, Rows.ToMicroseconds(now)));

    public async ValueTask<bool> RemoveAsync(QueueId id, CancellationToken cancel) => await writer.Enqueue(statements =>
    {
        if (statements.FindMessage(id) is not { } message
            || statements.Exists($"SELECT 1 FROM recipient WHERE message = ?1 AND state = {States.InProgress} LIMIT 1", message.Row))
        {
            return false;
        }

        Delete(statements, message);
        return true;
    });

    private static IReadOnlyList<SpooledMessage> List(Statements statements, QueueFilter filter)
    {
        if (filter.State is { } wanted && IsEmpty(statements, wanted))
        {
            return []; // nothing is in that state: no need to look through the queue
        }

        var heldOnly = filter.State == RecipientState.Held ? OnlyHeld : "true";
        var ofLogin = filter.Login is null ? "?1 IS NULL" : "login = ?1"; // by itself it is found in its index
        var found = new List<(long RowId, SpooledMessage Message)>();
        using (var row = statements.Query(
            $"""
            SELECT {Rows.MessageColumns} FROM message m
            WHERE {heldOnly} AND {ofLogin}
              AND (?7 IS NULL OR site = ?7) AND (?2 IS NULL OR reverse_path LIKE ?2 ESCAPE '\') AND (?3 IS NULL OR queue_id > ?3)
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

    private static bool IsEmpty(Statements statements, RecipientState state)
    {
        var column = state switch
        {
            RecipientState.Due => "due",
            RecipientState.InProgress => "in_progress",
            RecipientState.Held => "held",
            _ => "settled",
        };
        return statements.Number($"SELECT sum({column}) FROM total") is null or 0;
    }

    private static int Hold(Statements statements, QueueId id, string reason)
    {
        if (statements.FindMessage(id) is not { } message)
        {
            return 0;
        }

        var held = Hold(statements, message);
        if (held > 0)
        {
            statements.Run("UPDATE message SET hold_reason = ?2 WHERE id = ?1", message.Row, reason);
        }

        return held;
    }

    private static int Hold(Statements statements, MessageRow message)
    {
        var held = statements.Run(
            $"UPDATE recipient SET state = {States.Held} WHERE message = ?1 AND state = {States.Due}", message.Row);
        statements.Tally.Move(message.Site, RecipientState.Due, RecipientState.Held, held);
        return held;
    }

    private static int ReleaseHeld(Statements statements, MessageRow message)
    {
        statements.Run("UPDATE message SET hold_reason = NULL WHERE id = ?1", message.Row);
        var released = statements.Run(
            $"UPDATE recipient SET state = {States.Due}, next_attempt_at = 0 WHERE message = ?1 AND state = {States.Held}", message.Row);
        statements.Tally.Move(message.Site, RecipientState.Held, RecipientState.Due, released);
        return released;
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
