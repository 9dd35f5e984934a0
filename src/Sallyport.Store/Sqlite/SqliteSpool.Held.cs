using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <content>What is held, many messages at a time.</content>
internal sealed partial class SqliteSpool
{
    private const string WithHeld =
        "SELECT id, queue_id FROM message m WHERE (?1 IS NULL OR login = ?1) "
        + "AND EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id AND r.state = 2)";

    private const string NotInProgress = " AND NOT EXISTS (SELECT 1 FROM recipient p WHERE p.message = m.id AND p.state = 1)";
    private const string OldestFirst = " ORDER BY queue_id LIMIT ?2";

    public ValueTask<IReadOnlyList<HeldGroup>> HeldAsync(string? login, int groupsMax, CancellationToken cancel) =>
        readers.ReadAsync<IReadOnlyList<HeldGroup>>(
            statements =>
            {
                var groups = new List<HeldGroup>();
                using (var row = statements.Query(
                    """
                    SELECT login, coalesce(hold_reason, ''), count(DISTINCT m.id), count(*), min(received_at), max(received_at)
                    FROM message m JOIN recipient r ON r.message = m.id
                    WHERE r.state = 2 AND (?1 IS NULL OR login = ?1)
                    GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT ?2
                    """,
                    login, groupsMax))
                {
                    while (row.Read())
                    {
                        groups.Add(new(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), Rows.ToTime(row.GetInt64(4)),
                            Rows.ToTime(row.GetInt64(5)), []));
                    }
                }

                return groups.ConvertAll(group => group with { Samples = [.. Samples(statements, group)] });
            },
            cancel);

    public async ValueTask<BulkChange> HoldDueOfAsync(string login, string reason, CancellationToken cancel) =>
        await writer.Enqueue(statements =>
        {
            var messages = statements.Run(
                """
                UPDATE message SET hold_reason = ?2
                WHERE login = ?1 AND EXISTS (SELECT 1 FROM recipient r WHERE r.message = message.id AND r.state = 0)
                """,
                login, reason);
            return new BulkChange(messages, statements.Run(
                "UPDATE recipient SET state = 2 WHERE state = 0 AND message IN (SELECT id FROM message WHERE login = ?1)", login));
        });

    public async ValueTask<BulkChange> ReleaseHeldOfAsync(string? login, int messagesMax, CancellationToken cancel) =>
        await writer.Enqueue(statements =>
        {
            var messages = Some(statements, WithHeld + OldestFirst, login, messagesMax);
            var recipients = 0;
            foreach (var (message, _) in messages)
            {
                statements.Run("UPDATE message SET hold_reason = NULL WHERE id = ?1", message);
                recipients += statements.Run("UPDATE recipient SET state = 0, next_attempt_at = 0 WHERE message = ?1 AND state = 2", message);
            }

            return new BulkChange(messages.Count, recipients);
        });

    public async ValueTask<BulkChange> RemoveHeldOfAsync(string? login, int messagesMax, CancellationToken cancel) =>
        await writer.Enqueue(statements =>
        {
            var messages = Some(statements, WithHeld + NotInProgress + OldestFirst, login, messagesMax);
            var recipients = 0L;
            foreach (var (message, id) in messages)
            {
                recipients += statements.Number("SELECT count(*) FROM recipient WHERE message = ?1 AND state < 3", message) ?? 0;
                Delete(statements, message, id);
            }

            return new BulkChange(messages.Count, (int)recipients);
        });

    private static List<HeldSample> Samples(Statements statements, HeldGroup group)
    {
        var samples = new List<HeldSample>();
        using var row = statements.Query(
            """
            SELECT reverse_path, path FROM message m JOIN recipient r ON r.message = m.id
            WHERE r.state = 2 AND login = ?1 AND coalesce(hold_reason, '') = ?2 ORDER BY m.queue_id, r.number LIMIT ?3
            """,
            group.Login, group.Reason, HeldGroup.SamplesMax);
        while (row.Read())
        {
            samples.Add(new(row.GetString(0), row.GetString(1)));
        }

        return samples;
    }

    private static List<(long Message, QueueId Id)> Some(Statements statements, string sql, string? login, int messagesMax)
    {
        var found = new List<(long, QueueId)>();
        using var row = statements.Query(sql, login, messagesMax);
        while (row.Read())
        {
            _ = QueueId.TryParse(row.GetString(1), out var id);
            found.Add((row.GetInt64(0), id));
        }

        return found;
    }
}
