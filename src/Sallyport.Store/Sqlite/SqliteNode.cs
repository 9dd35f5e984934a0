namespace Sallyport.Store.Sqlite;

/// <summary>
/// One client of the store and its lease. A claim that nobody renews can be taken by others; until somebody does, it stays good, so that
/// a machine that slept does not send twice what nobody else would have sent.
/// </summary>
internal sealed class SqliteNode(string name, GroupWriter writer, TimeProvider time)
{
    private long _claim;

    public ClaimToken Claim => new(Volatile.Read(ref _claim));

    /// <summary>Takes over what the last bearer of the name had claimed when it crashed; a clean stop leaves nothing to look for.</summary>
    public async Task OpenAsync(CancellationToken cancel)
    {
        var claim = await writer.Enqueue(statements =>
        {
            foreach (var former in Claims(statements, "SELECT claim FROM node WHERE name = ?1", name))
            {
                Revoke(statements, former);
            }

            return Register(statements);
        }).WaitAsync(cancel);
        Volatile.Write(ref _claim, claim);
    }

    public async ValueTask<bool> RenewAsync()
    {
        var mine = Claim.Value;
        var claim = await writer.Enqueue(statements =>
            statements.Run("UPDATE node SET expires_at = ?2 WHERE claim = ?1", mine, Expiry()) > 0 ? mine : Register(statements));
        Volatile.Write(ref _claim, claim);
        return claim == mine;
    }

    /// <summary>A clean end: what is still in progress is due again at once, for whoever is next.</summary>
    public async Task CloseAsync()
    {
        var mine = Claim.Value;
        try
        {
            await writer.Enqueue(statements =>
            {
                Revoke(statements, mine);
                return 0;
            });
        }
        catch (StoreException)
        {
            // The store has failed: the next start sweeps as after a crash.
        }
    }

    /// <summary>What nodes have claimed that were silent for too long is due again. False when this one's own claim was taken meanwhile.</summary>
    public bool TakeOverExpired(Statements statements, ClaimToken mine)
    {
        foreach (var expired in Claims(
            statements, "SELECT claim FROM node WHERE expires_at <= ?1 AND claim <> ?2", Rows.ToMicroseconds(time.GetUtcNow()), mine.Value))
        {
            Revoke(statements, expired);
        }

        return statements.IsLive(mine);
    }

    private static List<long> Claims(Statements statements, string sql, params ReadOnlySpan<Value> values)
    {
        var claims = new List<long>();
        using var row = statements.Query(sql, values);
        while (row.Read())
        {
            claims.Add(row.GetInt64(0));
        }

        return claims;
    }

    /// <summary>Looks through the queue only when something is in progress at all; chunks of messages that never came go too.</summary>
    private static void Revoke(Statements statements, long claim)
    {
        statements.WriteTotals(); // those of this transaction count
        if (statements.Number("SELECT sum(in_progress) FROM total") > 0)
        {
            foreach (var (site, recipients) in InProgress(statements, claim))
            {
                statements.Tally.Move(site, RecipientState.InProgress, RecipientState.Due, recipients);
            }

            statements.Run($"UPDATE recipient SET state = {States.Due}, claim = 0 WHERE state = {States.InProgress} AND claim = ?1", claim);
        }

        // Both sides are read from indexes alone: content is touched only where it goes.
        statements.Run(
            """
            DELETE FROM chunk WHERE queue_id IN (SELECT DISTINCT queue_id FROM chunk EXCEPT SELECT queue_id FROM message WHERE chunks > 0)
              AND claim = ?1
            """,
            claim);
        statements.Run("DELETE FROM node WHERE claim = ?1", claim);
        statements.ForgetClaim();
    }

    private static List<(long Site, long Recipients)> InProgress(Statements statements, long claim)
    {
        var sites = new List<(long, long)>();
        using var row = statements.Query(
            $"SELECT site, count(*) FROM recipient WHERE state = {States.InProgress} AND claim = ?1 GROUP BY site", claim);
        while (row.Read())
        {
            sites.Add((row.GetInt64(0), row.GetInt64(1)));
        }

        return sites;
    }

    private long Register(Statements statements) =>
        statements.Insert("INSERT INTO node (name, expires_at) VALUES (?1, ?2)", name, Expiry());

    private long Expiry() => Rows.ToMicroseconds(time.GetUtcNow() + NodeLease.Duration);
}
