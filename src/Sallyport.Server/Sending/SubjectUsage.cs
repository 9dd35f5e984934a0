using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>What one login, group or site has sent. Whoever uses it holds the book's lock, and prunes it first.</summary>
internal sealed class SubjectUsage(string subject)
{
    private readonly WindowCount _minute = WindowCount.NewMinute();
    private readonly WindowCount _hour = WindowCount.NewHour();
    private readonly WindowCount _day = WindowCount.NewDay();
    private readonly Dictionary<IPAddress, DateTimeOffset> _networks = [];

    public string Subject => subject;

    /// <summary>Of a login; null for others.</summary>
    public ContactList? Contacts { get; set; } = SendingSubject.LoginOf(subject) is { } login ? new ContactList(login) : null;

    /// <summary>Reserved and not yet committed; as connections those open.</summary>
    public SendingAmount UnderWay { get; private set; }

    /// <summary>Passed by the breaker and not yet committed.</summary>
    private SendingAmount PassedUnderWay { get; set; }

    public DateTimeOffset UsedAt { get; private set; }

    public bool IsDirty { get; set; }

    public bool IsIdle => UnderWay.IsZero && _day.Total == default && Contacts is not { HasChanges: true };

    public void Prune(DateTimeOffset now)
    {
        _minute.Prune(now);
        _hour.Prune(now);
        _day.Prune(now);
    }

    /// <summary>In the window, and what is under way. Connections that are open are in the window already.</summary>
    public long Used(SendingMeasure measure, SendingWindow window) =>
        measure == SendingMeasure.Connections
            ? window == SendingWindow.AtOnce ? UnderWay.Connections : Of(window).Total.Sent.Connections
            : (window == SendingWindow.AtOnce ? 0 : Of(window).Total.Sent[measure]) + UnderWay[measure];

    /// <summary>The first limit that so much more would pass, and that which stands in the way for longest; null when none.</summary>
    public LimitReached? Check(ImmutableArray<QuotaLimit> limits, SendingAmount asked)
    {
        LimitReached? worst = null;
        foreach (var limit in limits)
        {
            var more = asked[limit.Measure];
            var used = more > 0 ? Used(limit.Measure, limit.Window) : 0;
            if (more > 0 && used + more > limit.Allowed)
            {
                worst = Later(worst, new LimitReached(subject, limit, used, more, FreeAt(limit, more)));
            }
        }

        return worst;
    }

    /// <summary>When so much more passes a limit, if nothing else is sent; null when only the end of what is under way lets it.</summary>
    public DateTimeOffset? FreeAt(QuotaLimit limit, long more) => limit.Window == SendingWindow.AtOnce
        ? null
        : Of(limit.Window).FreeAt(limit.Measure, Used(limit.Measure, limit.Window) + more - limit.Allowed);

    public static LimitReached? Later(LimitReached? one, LimitReached? other) =>
        one is null ? other
        : other is null || one.IsForGood ? one
        : other.IsForGood || one.FreeAt is null || other.FreeAt > one.FreeAt ? other
        : one;

    public void Reserve(SendingAmount amount, DateTimeOffset now)
    {
        UnderWay += amount;
        UsedAt = now;
    }

    public void Release(SendingAmount amount) => UnderWay -= amount;

    /// <summary>What the breaker goes by.</summary>
    public PassedUsage Passed(DateTimeOffset now)
    {
        Prune(now);
        var day = _day.Total;
        return new(_hour.Total.Passed + PassedUnderWay, day.Passed + PassedUnderWay, day.Settled, day.Failed);
    }

    public void ReservePassed(SendingAmount amount) => PassedUnderWay += amount;

    public void ReleasePassed(SendingAmount amount) => PassedUnderWay -= amount;

    public void Count(UsageAmount amount, DateTimeOffset now)
    {
        _minute.Add(amount, now);
        _hour.Add(amount, now);
        _day.Add(amount, now);
        UsedAt = now;
    }

    /// <summary>Keeps of each bucket what <paramref name="left"/> leaves of it.</summary>
    public void Clear(Func<UsageAmount, UsageAmount> left)
    {
        foreach (var window in (WindowCount[])[_minute, _hour, _day])
        {
            window.Clear(left);
        }
    }

    /// <summary>A login from there. Beyond <paramref name="most"/> networks the one seen longest ago is forgotten.</summary>
    public void SeenFrom(IPAddress network, DateTimeOffset now, int most)
    {
        if (_networks.Count >= most && !_networks.ContainsKey(network))
        {
            _networks.Remove(_networks.MinBy(entry => entry.Value).Key);
        }

        _networks[network] = now;
    }

    public SendingActivity Activity(DateTimeOffset now) => new(
        With(_minute.Total.Sent), With(_hour.Total.Sent), With(_day.Total.Sent), UnderWay,
        _networks.Values.Count(at => now - at < TimeSpan.FromDays(1)),
        Contacts?.Count ?? 0, Contacts is null or { IsLoaded: true });

    public StoredUsage ToStored(DateTimeOffset now) => new(_minute.ToRows(), _hour.ToRows(), _day.ToRows())
    {
        Networks = _networks.Count == 0 ? null : _networks.Where(entry => now - entry.Value < TimeSpan.FromDays(1))
            .ToDictionary(entry => entry.Key.ToString(), entry => entry.Value.ToUnixTimeSeconds()),
    };

    public void Restore(StoredUsage stored, DateTimeOffset now)
    {
        _minute.Restore(stored.Minute, now);
        _hour.Restore(stored.Hour, now);
        _day.Restore(stored.Day, now);
        foreach (var (network, at) in stored.Networks ?? [])
        {
            if (IPAddress.TryParse(network, out var address))
            {
                _networks[address] = DateTimeOffset.FromUnixTimeSeconds(at);
            }
        }

        UsedAt = now;
    }

    /// <summary>What an older release stored beside the breaker's pattern, in rows of the same windows.</summary>
    public void TakeOver(long[][] hour, long[][] day, long[][] outcomes, DateTimeOffset now)
    {
        _hour.Merge(hour, Passed, now);
        _day.Merge(day, Passed, now);
        _day.Merge(outcomes, static row => new UsageAmount(default, default, row[1], row[2]), now);

        static UsageAmount Passed(long[] row) => new(default, new SendingAmount(row[1], row[2], row[3], row[4], 0), 0, 0);
    }

    private SendingAmount With(SendingAmount counted) => counted + UnderWay with { Connections = 0 };

    private WindowCount Of(SendingWindow window) => window switch
    {
        SendingWindow.Minute => _minute,
        SendingWindow.Hour => _hour,
        _ => _day,
    };
}
