using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>Records what became of recipients.</summary>
internal static class OutcomeWriter
{
    private readonly record struct RecipientRow(int Number, RecipientState State, long Claim)
    {
        public bool IsFinal => State >= RecipientState.Relayed;
    }

    public static RecordResult Record(Statements statements, IReadOnlyList<RecipientOutcome> outcomes)
    {
        var lost = new List<RecipientOutcome>();
        if (outcomes.Count > 0 && outcomes.All(outcome => outcome.Id == outcomes[0].Id))
        {
            Record(statements, outcomes[0].Id, outcomes, lost);
        }
        else
        {
            foreach (var message in outcomes.GroupBy(outcome => outcome.Id))
            {
                Record(statements, message.Key, [.. message], lost);
            }
        }

        return lost.Count == 0 ? new RecordResult(outcomes, []) : new RecordResult([.. outcomes.Except(lost)], lost);
    }

    /// <summary>Removes rows; the totals of its recipients are the caller's to mend.</summary>
    public static void DeleteRows(Statements statements, MessageRow message)
    {
        statements.Tally.Message(message.Site, -1, -message.ContentBytes);
        statements.Run("DELETE FROM recipient WHERE message = ?1", message.Row);
        statements.Run("DELETE FROM message WHERE id = ?1", message.Row);
        if (message.Chunks > 0)
        {
            statements.Run("DELETE FROM chunk WHERE queue_id = ?1", message.Id.ToString());
        }
    }

    /// <summary>A message whose recipients all end with these outcomes is removed without writing them first.</summary>
    private static void Record(Statements statements, QueueId id, IReadOnlyList<RecipientOutcome> outcomes, List<RecipientOutcome> lost)
    {
        if (statements.FindMessage(id) is not { } message)
        {
            lost.AddRange(outcomes);
            return;
        }

        var rows = Rows(statements, message.Row);
        var kept = new List<RecipientOutcome>(outcomes.Count);
        foreach (var outcome in outcomes)
        {
            if (Find(rows, outcome.Number) is var place and >= 0 && IsOurs(rows[place], outcome))
            {
                statements.Tally.Move(message.Site, RecipientState.InProgress, outcome.State, 1);
                rows[place] = new RecipientRow(outcome.Number, outcome.State, 0);
                kept.Add(outcome);
            }
            else
            {
                lost.Add(outcome);
            }
        }

        if (kept.Count > 0 && rows.TrueForAll(row => row.IsFinal))
        {
            statements.Tally.Count(message.Site, RecipientState.Relayed, -rows.Count);
            DeleteRows(statements, message);
            return;
        }

        foreach (var outcome in kept)
        {
            Write(statements, message.Row, outcome);
        }
    }

    private static bool IsOurs(RecipientRow row, RecipientOutcome outcome) =>
        row.State == RecipientState.InProgress && row.Claim == outcome.Claim.Value;

    private static List<RecipientRow> Rows(Statements statements, long message)
    {
        var rows = new List<RecipientRow>();
        using var row = statements.Query("SELECT number, state, claim FROM recipient WHERE message = ?1 ORDER BY number", message);
        while (row.Read())
        {
            rows.Add(new(row.GetInt32(0), (RecipientState)row.GetInt32(1), row.GetInt64(2)));
        }

        return rows;
    }

    /// <summary>Rows go with their message only: a recipient's number is its place, unless the store was damaged.</summary>
    private static int Find(List<RecipientRow> rows, int number) =>
        number >= 0 && number < rows.Count && rows[number].Number == number ? number : rows.FindIndex(row => row.Number == number);

    private static void Write(Statements statements, long message, RecipientOutcome outcome) => statements.Run(
        """
        UPDATE recipient SET state = ?3, next_attempt_at = ?4, attempts = attempts + ?5, last_reply = ?6, delay_reported = ?7, claim = 0
        WHERE message = ?1 AND number = ?2
        """,
        message, outcome.Number, (int)outcome.State, Sqlite.Rows.ToMicroseconds(outcome.NextAttemptAt), outcome.CountsAsAttempt ? 1 : 0,
        outcome.KeptReply, outcome.DelayReported);
}
