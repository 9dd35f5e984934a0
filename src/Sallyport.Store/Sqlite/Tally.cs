namespace Sallyport.Store.Sqlite;

/// <summary>
/// What one transaction changes in the totals of each site: written once at its end, so that nobody ever has to count the queue.
/// </summary>
internal sealed class Tally
{
    private readonly Dictionary<long, Totals> _sites = [];

    public struct Totals
    {
        public long Messages;
        public long Bytes;
        public long Due;
        public long InProgress;
        public long Held;
        public long Settled;
    }

    public void Message(long site, long messages, long bytes)
    {
        ref var totals = ref Of(site);
        totals.Messages += messages;
        totals.Bytes += bytes;
    }

    /// <summary>So many recipients more in this state, or less.</summary>
    public void Count(long site, RecipientState state, long recipients)
    {
        ref var totals = ref Of(site);
        switch (state)
        {
            case RecipientState.Due:
                totals.Due += recipients;
                break;
            case RecipientState.InProgress:
                totals.InProgress += recipients;
                break;
            case RecipientState.Held:
                totals.Held += recipients;
                break;
            default:
                totals.Settled += recipients;
                break;
        }
    }

    public void Move(long site, RecipientState from, RecipientState to, long recipients)
    {
        Count(site, from, -recipients);
        Count(site, to, recipients);
    }

    public void Clear() => _sites.Clear();

    /// <summary>For <see cref="Restore"/>, when part of the transaction is undone.</summary>
    public KeyValuePair<long, Totals>[] Save() => [.. _sites];

    public void Restore(KeyValuePair<long, Totals>[] saved)
    {
        _sites.Clear();
        foreach (var (site, totals) in saved)
        {
            _sites.Add(site, totals);
        }
    }

    public void Write(Statements statements)
    {
        foreach (var (site, change) in _sites)
        {
            if (change is not { Messages: 0, Bytes: 0, Due: 0, InProgress: 0, Held: 0, Settled: 0 })
            {
                statements.Run(
                    """
                    INSERT INTO total VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (site) DO UPDATE SET messages = messages + ?2,
                      bytes = bytes + ?3, due = due + ?4, in_progress = in_progress + ?5, held = held + ?6, settled = settled + ?7
                    """,
                    site, change.Messages, change.Bytes, change.Due, change.InProgress, change.Held, change.Settled);
            }
        }

        _sites.Clear();
    }

    private ref Totals Of(long site) => ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_sites, site, out _);
}
