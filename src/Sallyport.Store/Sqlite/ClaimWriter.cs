namespace Sallyport.Store.Sqlite;

/// <summary>Hands due recipients to a node, and takes them back.</summary>
internal static class ClaimWriter
{
    public static int Release(Statements statements, ClaimedRecipients claimed)
    {
        if (statements.FindMessage(claimed.Id) is not { } message)
        {
            return 0;
        }

        var released = claimed.Numbers.Sum(number => statements.Run(
            $"""
            UPDATE recipient SET state = {States.Due}, claim = 0
            WHERE message = ?1 AND number = ?2 AND state = {States.InProgress} AND claim = ?3
            """,
            message.Row, number, claimed.Claim.Value));
        statements.Tally.Move(message.Site, RecipientState.InProgress, RecipientState.Due, released);
        return released;
    }

    public static IReadOnlyList<SpooledMessage> Claim(Statements statements, ClaimToken claim, long now, int messagesMax)
    {
        var due = new List<long>();
        var seen = new HashSet<long>();
        using (var row = statements.Query(
            $"SELECT message FROM recipient WHERE state = {States.Due} AND next_attempt_at <= ?1 ORDER BY next_attempt_at LIMIT ?2",
            now, messagesMax * 10))
        {
            while (row.Read() && due.Count < messagesMax)
            {
                if (row.GetInt64(0) is var message && seen.Add(message))
                {
                    due.Add(message);
                }
            }
        }

        return [.. due.Select(message => ClaimMessage(statements, claim, message, now)).OfType<SpooledMessage>()];
    }

    /// <summary>Null when nothing of it can be relayed: what cannot be read is held out, and says so to the operator.</summary>
    private static SpooledMessage? ClaimMessage(Statements statements, ClaimToken claim, long message, long now)
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
            $"SELECT {Rows.RecipientColumns} FROM recipient WHERE message = ?1 AND state = {States.Due} AND next_attempt_at <= ?2", message, now))
        {
            while (row.Read())
            {
                recipients.Add(Rows.ReadRecipient(row) with { State = RecipientState.InProgress });
            }
        }

        var damaged = recipients.FindAll(recipient => recipient.Path.Mailbox == Rows.Unreadable
            || read.Record.Envelope.ReversePath.Mailbox == Rows.Unreadable);
        var site = statements.SiteNumber(read.Record.Site);
        foreach (var recipient in damaged)
        {
            statements.Run($"UPDATE recipient SET state = {States.Held} WHERE message = ?1 AND number = ?2", message, recipient.Number);
            statements.Run("UPDATE message SET hold_reason = ?2 WHERE id = ?1", message, "an address in the store cannot be read");
            recipients.Remove(recipient);
        }

        var claimed = statements.Run(
            $"""
            UPDATE recipient SET state = {States.InProgress}, claim = ?3
            WHERE message = ?1 AND state = {States.Due} AND next_attempt_at <= ?2
            """,
            message, now, claim.Value);
        statements.Tally.Move(site, RecipientState.Due, RecipientState.Held, damaged.Count);
        statements.Tally.Move(site, RecipientState.Due, RecipientState.InProgress, claimed);
        return recipients.Count == 0 ? null : read.With(recipients) with { Claim = claim };
    }
}
