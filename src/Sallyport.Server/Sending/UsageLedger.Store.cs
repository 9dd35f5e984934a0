using System.Text.Json;
using Sallyport.Mail.Policy;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <content>What changed goes to the journal when that is about to write, once however often it changed; what is idle is let go.</content>
public sealed partial class UsageLedger
{
    /// <summary>What an older release had stored beside the breaker's pattern of a login. False when there is none.</summary>
    internal bool TakeOver(string login, StoredPattern stored)
    {
        if (stored.Hour is not { } hour || stored.Day is not { } day)
        {
            return false;
        }

        lock (_gate)
        {
            var usage = Find(SendingSubject.OfLogin(login));
            usage.TakeOver(hour, day, stored.Outcomes ?? [], _time.GetUtcNow());
            Changed(usage);
            return true;
        }
    }

    private void Collect()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            Tidy(now);
            foreach (var usage in _changed)
            {
                Store(usage, now);
            }

            _changed.Clear();
        }
    }

    private void Store(SubjectUsage usage, DateTimeOffset now)
    {
        usage.IsDirty = false;
        usage.Prune(now);
        var changes = usage.Contacts?.TakeChanges() ?? [];
        if (usage.Subject.Length > KeyCharactersMax)
        {
            return;
        }

        var value = JsonSerializer.SerializeToUtf8Bytes(usage.ToStored(now), SendingJson.Default.StoredUsage);
        _journal.Put(new Fact(FactKind.Usage, usage.Subject, value, now + UsageKeptFor));
        foreach (var change in changes)
        {
            switch (change)
            {
                case FactChange.Put put:
                    _journal.Put(put.Fact);
                    break;
                case FactChange.Remove remove:
                    _journal.Remove(remove.Kind, remove.Key);
                    break;
            }
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
            if (usage.IsIdle && !usage.IsDirty && now - usage.UsedAt > IdleBeforeUnload)
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
