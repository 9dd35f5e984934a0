namespace Sallyport.Store.Sqlite;

/// <content>What is held, many messages at a time.</content>
internal sealed partial class SqliteSpool
{
    /// <summary>Through the index of what is held, which is as large as what is held.</summary>
    private const string OnlyHeld = $"m.id IN (SELECT message FROM recipient WHERE state = {States.Held})";

    private const string HeldOfAll = $"SELECT m.id FROM message m WHERE ?1 IS NULL AND {OnlyHeld}";

    private const string HeldOfLogin =
        $"SELECT m.id FROM message m WHERE m.login = ?1 AND EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id AND r.state = {States.Held})";

    private const string NotInProgress =
        $" AND NOT EXISTS (SELECT 1 FROM recipient p WHERE p.message = m.id AND p.state = {States.InProgress})";

    private const string OldestFirst = " ORDER BY m.queue_id LIMIT ?2";

    public ValueTask<IReadOnlyList<HeldGroup>> HeldAsync(string? login, int groupsMax, CancellationToken cancel) =>
        readers.ReadAsync<IReadOnlyList<HeldGroup>>(
            statements =>
            {
                var groups = new List<HeldGroup>();
                using (var row = statements.Query(
                    $"""
                    SELECT login, coalesce(hold_reason, ''), count(DISTINCT m.id), count(*), min(received_at), max(received_at)
                    FROM recipient r CROSS JOIN message m ON m.id = r.message
                    WHERE r.state = {States.Held} AND (?1 IS NULL OR login = ?1)
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
            const string due =
                "SELECT m.id FROM message m WHERE m.login = ?1 "
                + $"AND EXISTS (SELECT 1 FROM recipient r WHERE r.message = m.id AND r.state = {States.Due})";
            var messages = Some(statements, due, login);
            var recipients = 0;
            foreach (var message in messages)
            {
                statements.Run("UPDATE message SET hold_reason = ?2 WHERE id = ?1", message.Row, reason);
                recipients += Hold(statements, message);
            }

            return new BulkChange(messages.Count, recipients);
        });

    public async ValueTask<BulkChange> ReleaseHeldOfAsync(string? login, int messagesMax, CancellationToken cancel) =>
        await writer.Enqueue(statements =>
        {
            var messages = Some(statements, (login is null ? HeldOfAll : HeldOfLogin) + OldestFirst, login, messagesMax);
            return new BulkChange(messages.Count, messages.Sum(message => ReleaseHeld(statements, message)));
        });

    public async ValueTask<BulkChange> RemoveHeldOfAsync(string? login, int messagesMax, CancellationToken cancel) =>
        await writer.Enqueue(statements =>
        {
            var messages = Some(statements, (login is null ? HeldOfAll : HeldOfLogin) + NotInProgress + OldestFirst, login, messagesMax);
            var recipients = 0L;
            foreach (var message in messages)
            {
                recipients += statements.Number(
                    $"SELECT count(*) FROM recipient WHERE message = ?1 AND state < {States.Relayed}", message.Row) ?? 0;
                Delete(statements, message);
            }

            return new BulkChange(messages.Count, (int)recipients);
        });

    private static List<HeldSample> Samples(Statements statements, HeldGroup group)
    {
        var samples = new List<HeldSample>();
        using var row = statements.Query(
            $"""
            SELECT reverse_path, path FROM message m CROSS JOIN recipient r ON r.message = m.id
            WHERE r.state = {States.Held} AND login = ?1 AND coalesce(hold_reason, '') = ?2 ORDER BY m.queue_id, r.number LIMIT ?3
            """,
            group.Login, group.Reason, HeldGroup.SamplesMax);
        while (row.Read())
        {
            samples.Add(new(row.GetString(0), row.GetString(1)));
        }

        return samples;
    }

    private static List<MessageRow> Some(Statements statements, string sql, params ReadOnlySpan<Value> values)
    {
        var found = new List<long>();
        using (var row = statements.Query(sql, values))
        {
            while (row.Read())
            {
                found.Add(row.GetInt64(0));
            }
        }

        return [.. found.Select(message => statements.FindMessage(message)).OfType<MessageRow>()];
    }
}
