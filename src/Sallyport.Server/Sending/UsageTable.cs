using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>
/// The subjects of the ledger in memory: found or made, written behind once however often they changed, brought up to date with what
/// other nodes count, and unloaded when idle. Callers hold the ledger's lock.
/// </summary>
internal sealed class UsageTable(SiteState state, DateTimeOffset tidiedAt)
{
    /// <summary>Longest key of the store; what is counted for a longer name lives in memory only.</summary>
    private const int KeyCharactersMax = 480;

    private static readonly TimeSpan TidyEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan IdleBeforeUnload = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, SubjectUsage> _subjects = new(StringComparer.Ordinal);
    private readonly HashSet<SubjectUsage> _changed = [];
    private DateTimeOffset _tidiedAt = tidiedAt;

    public IEnumerable<SubjectUsage> All => _subjects.Values;

    public SubjectUsage Find(string subject)
    {
        if (!_subjects.TryGetValue(subject, out var usage))
        {
            _subjects[subject] = usage = new SubjectUsage(subject);
        }

        return usage;
    }

    public SubjectUsage FindPruned(string subject, DateTimeOffset now)
    {
        var usage = Find(subject);
        usage.Prune(now);
        return usage;
    }

    /// <summary>Null for a subject nothing was counted of.</summary>
    public SubjectUsage? FindKnown(string subject) => _subjects.GetValueOrDefault(subject);

    /// <summary>It is written with the next flush.</summary>
    public void Changed(SubjectUsage usage) => _changed.Add(usage);

    /// <summary>A count as the store has it, with what of ours is still on its way there.</summary>
    public void Apply(Counter counter)
    {
        if (counter.Key.Split('\n') is [var subject, var text])
        {
            if (IPAddress.TryParse(text, out var network))
            {
                Find(subject).ApplyNetwork(network, counter.Bucket, UsageLedger.NetworksMax);
            }
        }
        else
        {
            Find(counter.Key).Apply(counter.Bucket, counter.Measure, counter.Value + state.Buffer.PendingOf(counter));
        }
    }

    /// <summary>What changed since the last time goes to the buffer that is about to write.</summary>
    public void Collect(DateTimeOffset now)
    {
        Tidy(now);
        foreach (var usage in _changed)
        {
            Store(usage);
        }

        _changed.Clear();
    }

    private void Store(SubjectUsage usage)
    {
        // Taken in any case; of a name too long for the store it lives in memory only.
        List<CounterDelta> counts = [.. usage.TakeUnwritten()];
        List<ContactChange> contacts = [.. usage.Contacts?.TakeChanges() ?? []];
        if (usage.Subject.Length <= KeyCharactersMax)
        {
            counts.ForEach(state.Buffer.Add);
            contacts.ForEach(state.Buffer.Add);
        }
    }

    /// <summary>Those who sent nothing for a day go; so do contacts of idle logins when memory is full: the store has them.</summary>
    private void Tidy(DateTimeOffset now)
    {
        if (now - _tidiedAt < TidyEvery)
        {
            return;
        }

        _tidiedAt = now;
        foreach (var usage in _subjects.Values.ToList())
        {
            usage.Prune(now);
            if (usage.IsIdle && !_changed.Contains(usage) && now - usage.UsedAt > IdleBeforeUnload)
            {
                _subjects.Remove(usage.Subject);
            }
        }

        var inMemory = _subjects.Values.Sum(usage => usage.Contacts?.Count ?? 0);
        var idle = _subjects.Values.Where(usage => usage.Contacts is { Count: > 0, HasChanges: false }
            && usage.UnderWay.Messages == 0 && now - usage.UsedAt > IdleBeforeUnload);
        foreach (var usage in idle.OrderBy(usage => usage.UsedAt).ToList().TakeWhile(_ => inMemory > UsageLedger.ContactsInMemoryMax))
        {
            inMemory -= usage.Contacts!.Count;
            usage.Contacts = new ContactList(SendingSubject.LoginOf(usage.Subject)!);
        }
    }
}
