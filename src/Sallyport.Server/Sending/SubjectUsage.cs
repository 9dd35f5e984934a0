using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Policy;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>What one login, group or site has sent. Whoever uses it holds the book's lock, and prunes it first.</summary>
internal sealed class SubjectUsage(string subject)
{
    /// <summary>Measures of the minute begin at 0 in the store, those of the hour at 16, of the day at 32.</summary>
    private const int WindowStep = 16;

    /// <summary>A network it came from, in a quarter of an hour.</summary>
    private const int NetworkMeasure = 48;

    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    private readonly WindowCount _minute = WindowCount.NewMinute();
    private readonly WindowCount _hour = WindowCount.NewHour();
    private readonly WindowCount _day = WindowCount.NewDay();
    private readonly Dictionary<IPAddress, DateTimeOffset> _networks = [];
    private readonly List<IPAddress> _newNetworks = [];

    public string Subject => subject;

    /// <summary>Of a login; null for others.</summary>
    public ContactList? Contacts { get; set; } = SendingSubject.LoginOf(subject) is { } login ? new ContactList(login) : null;

    /// <summary>Reserved and not yet committed; as connections those open.</summary>
    public SendingAmount UnderWay { get; private set; }

    /// <summary>Passed by the breaker and not yet committed.</summary>
    private SendingAmount PassedUnderWay { get; set; }

    public DateTimeOffset UsedAt { get; private set; }

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
        foreach (var (_, window) in Windows)
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

        if (!_networks.TryGetValue(network, out var last) || last < QuarterOf(now))
        {
            _networks[network] = QuarterOf(now);
            _newNetworks.Add(network);
        }
    }

    public SendingActivity Activity(DateTimeOffset now) => new(
        With(_minute.Total.Sent), With(_hour.Total.Sent), With(_day.Total.Sent), UnderWay,
        _networks.Values.Count(at => now - at < TimeSpan.FromDays(1)),
        Contacts?.Count ?? 0, Contacts is null or { IsLoaded: true });

    /// <summary>What was counted here since the last call.</summary>
    public IEnumerable<CounterDelta> TakeUnwritten()
    {
        foreach (var (number, window) in Windows)
        {
            foreach (var (index, amount, endsAt) in window.TakeUnwritten())
            {
                for (var measure = 0; measure < UsageAmount.Measures; measure++)
                {
                    if (amount[measure] != 0)
                    {
                        yield return new CounterDelta(
                            CounterKind.Usage, subject, index, (number * WindowStep) + measure, amount[measure], endsAt);
                    }
                }
            }
        }

        foreach (var network in _newNetworks)
        {
            var at = _networks.GetValueOrDefault(network);
            yield return new CounterDelta(
                CounterKind.Usage, $"{subject}\n{network}", at.UtcTicks / Quarter.Ticks, NetworkMeasure, 1, at + TimeSpan.FromDays(1) + Quarter);
        }

        _newNetworks.Clear();
    }

    /// <summary>What all nodes have counted.</summary>
    /// <param name="measure">As it is stored.</param>
    /// <param name="value">With what is on its way to the store.</param>
    public void Apply(long index, int measure, long value)
    {
        if (measure < NetworkMeasure)
        {
            Windows[measure / WindowStep].Window.Set(index, measure % WindowStep, value);
        }
    }

    /// <summary>A login has come from there, on whichever node.</summary>
    public void ApplyNetwork(IPAddress network, long quarter, int most)
    {
        var at = new DateTimeOffset(quarter * Quarter.Ticks, TimeSpan.Zero);
        if ((_networks.Count < most || _networks.ContainsKey(network)) && at > _networks.GetValueOrDefault(network))
        {
            _networks[network] = at;
        }
    }

    private (int Number, WindowCount Window)[] Windows => [(0, _minute), (1, _hour), (2, _day)];

    private static DateTimeOffset QuarterOf(DateTimeOffset at) => new(at.UtcTicks / Quarter.Ticks * Quarter.Ticks, TimeSpan.Zero);

    private SendingAmount With(SendingAmount counted) => counted + UnderWay with { Connections = 0 };

    private WindowCount Of(SendingWindow window) => window switch
    {
        SendingWindow.Minute => _minute,
        SendingWindow.Hour => _hour,
        _ => _day,
    };
}
