using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>The spool in SQLite, as one node sees it: claims are this node's.</summary>
internal sealed partial class SqliteSpool(SqliteNode node, GroupWriter writer, Readers readers, DiskRoom room, SqliteStoreOptions options)
    : ISpool
{
    public SpoolHealth Health =>
        Failed.IsCompleted ? SpoolHealth.Failed : room.Has(0) ? SpoolHealth.Accepting : SpoolHealth.DiskLow;

    public Task Failed => writer.Failed;

    internal DiskRoom Room => room;

    public bool HasRoomFor(long bytes) => !Failed.IsCompleted && room.Has(bytes);

    public string WhyNoRoom => Failed.IsCompleted
        ? "an earlier write or flush failed: nothing is written until the server is restarted"
        : room.Describe();

    public IPendingMessage Begin(QueueId id) => new SqlitePendingMessage(id, this, node, writer, options);

    public async ValueTask<IReadOnlyList<SpooledMessage>> ClaimDueAsync(DateTimeOffset now, int messagesMax, CancellationToken cancel)
    {
        var claim = node.Claim;
        if (await ClaimAsync(claim) is { } claimed)
        {
            return claimed;
        }

        await RenewAsync(cancel); // another node took us for dead
        claim = node.Claim;
        return await ClaimAsync(claim) ?? [];

        Task<IReadOnlyList<SpooledMessage>?> ClaimAsync(ClaimToken token) => writer.Enqueue(statements =>
            node.TakeOverExpired(statements, token) ? ClaimWriter.Claim(statements, token, Rows.ToMicroseconds(now), messagesMax) : null);
    }

    public ValueTask<bool> RenewAsync(CancellationToken cancel) => node.RenewAsync();

    public ValueTask<DateTimeOffset?> NextDueAsync(CancellationToken cancel) => readers.ReadAsync<DateTimeOffset?>(
        statements => statements.Number($"SELECT min(next_attempt_at) FROM recipient WHERE state = {States.Due}") is { } due
            ? Rows.ToTime(due)
            : null,
        cancel);

    public async ValueTask ReleaseClaimsAsync(IReadOnlyList<ClaimedRecipients> claims, CancellationToken cancel) =>
        await writer.Enqueue(statements => claims.Sum(claimed => ClaimWriter.Release(statements, claimed)));

    public async ValueTask<RecordResult> RecordAsync(
        IReadOnlyList<RecipientOutcome> outcomes, IReadOnlyList<NewMessage> reports, CancellationToken cancel) =>
        await writer.Enqueue(statements =>
        {
            var result = OutcomeWriter.Record(statements, outcomes);
            if (outcomes.Count == 0 || result.Recorded.Count > 0)
            {
                foreach (var report in reports)
                {
                    MessageInsert.Of(report).Apply(statements);
                }
            }

            return result;
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

    /// <summary>Removes a message just committed, unless somebody else has claimed it since, or settled some of it.</summary>
    /// <param name="ours">The claim it was committed with; none when it was committed as due.</param>
    internal static bool TakeBack(Statements statements, QueueId id, ClaimToken ours)
    {
        const string taken =
            $"SELECT 1 FROM recipient WHERE message = ?1 AND (state = {States.InProgress} AND claim <> ?2 OR state >= {States.Relayed}) LIMIT 1";
        if (statements.FindMessage(id) is not { } message || statements.Exists(taken, message.Row, ours.Value))
        {
            return false; // claimed, and relayed and settled perhaps
        }

        Delete(statements, message);
        return true;
    }

    /// <summary>Removes a message whole, whatever its recipients' states.</summary>
    internal static void Delete(Statements statements, MessageRow message)
    {
        using (var row = statements.Query("SELECT state, count(*) FROM recipient WHERE message = ?1 GROUP BY state", message.Row))
        {
            while (row.Read())
            {
                statements.Tally.Count(message.Site, (RecipientState)row.GetInt32(0), -row.GetInt64(1));
            }
        }

        OutcomeWriter.DeleteRows(statements, message);
    }
}
