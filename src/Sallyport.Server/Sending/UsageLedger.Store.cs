using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <content>
/// What was counted goes to the buffer when that is about to write, once however often it changed, and what other nodes count comes
/// back; what is idle goes.
/// </content>
public sealed partial class UsageLedger
{
    CounterKind ICounterHolder.Kind => CounterKind.Usage;

    void ICounterHolder.Apply(Counter counter)
    {
        lock (_gate)
        {
            if (counter.Key.Split('\n') is [var subject, var text])
            {
                if (IPAddress.TryParse(text, out var network))
                {
                    Find(subject).ApplyNetwork(network, counter.Bucket, NetworksMax);
                }
            }
            else
            {
                Find(counter.Key).Apply(counter.Bucket, counter.Measure, counter.Value + _state.Buffer.PendingOf(counter));
            }
        }
    }

    private void Collect()
    {
        lock (_gate)
        {
            Tidy(_time.GetUtcNow());
            foreach (var usage in _changed)
            {
                Store(usage);
            }

            _changed.Clear();
        }
    }

    private void Store(SubjectUsage usage)
    {
        // Taken in any case; of a name too long for the store it lives in memory only.
        List<CounterDelta> counts = [.. usage.TakeUnwritten()];
        List<ContactChange> contacts = [.. usage.Contacts?.TakeChanges() ?? []];
        if (usage.Subject.Length <= KeyCharactersMax)
        {
            counts.ForEach(_state.Buffer.Add);
            contacts.ForEach(_state.Buffer.Add);
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
        foreach (var usage in idle.OrderBy(usage => usage.UsedAt).ToList().TakeWhile(_ => inMemory > ContactsInMemoryMax))
        {
            inMemory -= usage.Contacts!.Count;
            usage.Contacts = new ContactList(SendingSubject.LoginOf(usage.Subject)!);
        }
    }
}
