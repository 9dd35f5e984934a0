using System.Net;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>What the breaker knows of one login. Whoever uses it holds the breaker's lock.</summary>
internal sealed class LoginPattern(string login)
{
    /// <summary>Networks of the last hour remembered.</summary>
    private const int NetworksMax = 64;

    private const int RecipientsKept = 10;
    private const int HoursInDay = 24;

    /// <summary>Messages, recipients, first-time recipients, bytes: by these numbers in the store.</summary>
    private const int Measures = 4;

    private readonly Dictionary<IPAddress, DateTimeOffset> _networks = [];
    private readonly Queue<string> _recipients = new();
    private readonly SortedDictionary<long, SendingAmount> _hours = [];
    private readonly Dictionary<long, SendingAmount> _unwritten = [];
    private long _day;
    private SendingAmount _trusted;

    public string Login => login;

    public Trip? Trip { get; set; }

    public DateTimeOffset UsedAt { get; private set; }

    public UsualSending Usual { get; private set; } = UsualSending.None;

    public DateTimeOffset? TrustedUntil { get; private set; }

    /// <summary>Held while stopped, so that trust can cover it.</summary>
    public SendingAmount Stopped { get; private set; }

    public IReadOnlyList<string> Networks => [.. _networks.OrderByDescending(entry => entry.Value).Select(entry => entry.Key.ToString())];

    public IReadOnlyCollection<string> Recipients => _recipients;

    public BreakerFacts FactsFor(SendingAmount asked, PassedUsage passed, DateTimeOffset now)
    {
        Prune(now);
        return new BreakerFacts(asked, passed.Hour, passed.Day, passed.Settled, passed.Failed, _networks.Count, Usual,
            TrustedUntil > now ? _trusted : default);
    }

    /// <param name="network">Null for a trusted one.</param>
    public void SeenFrom(IPAddress? network, IEnumerable<string> recipients, DateTimeOffset now)
    {
        UsedAt = now;
        if (network is not null)
        {
            if (_networks.Count >= NetworksMax && !_networks.ContainsKey(network))
            {
                _networks.Remove(_networks.MinBy(entry => entry.Value).Key);
            }

            _networks[network] = now;
        }

        foreach (var recipient in recipients)
        {
            if (_recipients.Count == RecipientsKept)
            {
                _recipients.Dequeue();
            }

            _recipients.Enqueue(recipient);
        }
    }

    /// <summary>A message is in the spool and goes out: that is usual for it.</summary>
    public void Sent(SendingAmount amount, DateTimeOffset now)
    {
        Count(amount, now);
        UsedAt = now;
    }

    public void Hold(SendingAmount amount, DateTimeOffset now)
    {
        Stopped += amount;
        UsedAt = now;
    }

    /// <summary>Nothing is held against it any more.</summary>
    /// <param name="trustFor">For so long twice as much as it was stopped with is usual; null for no such thing.</param>
    /// <param name="passed">Within the last day, before it was stopped.</param>
    public void Forgive(TimeSpan? trustFor, SendingAmount passed, DateTimeOffset now)
    {
        if (trustFor is { } time)
        {
            _trusted = passed + Stopped;
            _trusted += _trusted;
            TrustedUntil = now + time;
        }

        Trip = null;
        Stopped = default;
        _networks.Clear();
    }

    public void Prune(DateTimeOffset now)
    {
        foreach (var network in _networks.Where(entry => now - entry.Value >= TimeSpan.FromHours(1)).Select(entry => entry.Key).ToList())
        {
            _networks.Remove(network);
        }
    }

    /// <summary>What is usual for it.</summary>
    public StoredPattern ToStored() => new(Usual, _day);

    /// <summary>That it is stopped, or trusted; null when it is neither.</summary>
    public StoredStop? ToStoredStop() => Trip is null && TrustedUntil is null
        ? null
        : new StoredStop { Trip = Trip, Trusted = TrustedUntil is null ? null : _trusted, TrustedUntil = TrustedUntil };

    public void Restore(StoredPattern stored, DateTimeOffset now)
    {
        if (stored.DayNumber >= _day)
        {
            (Usual, _day) = (stored.Usual, stored.DayNumber);
            DropLearned();
        }

        UsedAt = now;
    }

    public void Restore(StoredStop? stored, DateTimeOffset now)
    {
        if (stored?.Trip is null && Trip is not null)
        {
            Stopped = default;
            _networks.Clear();
        }

        (Trip, _trusted, TrustedUntil) = (stored?.Trip, stored?.Trusted ?? default, stored?.TrustedUntil);
        UsedAt = now;
    }

    /// <summary>What it has sent in an hour of the calendar, as all nodes have counted it.</summary>
    /// <param name="value">As the store has it, with what is on its way there.</param>
    public void Apply(long hour, int measure, long value)
    {
        if (hour / HoursInDay >= _day)
        {
            var amount = With(_hours.GetValueOrDefault(hour), measure, value + Measure(_unwritten.GetValueOrDefault(hour), measure));
            _hours[hour] = amount;
        }
    }

    /// <summary>What was sent here since the last call, by hour and measure.</summary>
    public IEnumerable<(long Hour, int Measure, long Value)> TakeUnwritten()
    {
        foreach (var (hour, amount) in _unwritten)
        {
            for (var measure = 0; measure < Measures; measure++)
            {
                if (Measure(amount, measure) is not 0 and var value)
                {
                    yield return (hour, measure, value);
                }
            }
        }

        _unwritten.Clear();
    }

    /// <summary>
    /// Days that are over become what is usual. Every node learns the same from the same counts. True when there was something to learn.
    /// </summary>
    public bool Learn(DateTimeOffset now)
    {
        var today = now.UtcTicks / TimeSpan.TicksPerDay;
        if (today <= _day)
        {
            return false;
        }

        var over = _hours.Where(pair => pair.Key / HoursInDay < today).GroupBy(pair => pair.Key / HoursInDay, pair => pair.Value).ToList();
        foreach (var hours in over)
        {
            var sum = hours.Aggregate(SendingAmount.Add);
            Usual = sum.IsZero ? Usual : Usual.After(sum, hours.Aggregate(Larger), hours.Count());
        }

        _day = today;
        DropLearned();
        return over.Count > 0;
    }

    private void Count(SendingAmount amount, DateTimeOffset now)
    {
        var hour = now.UtcTicks / TimeSpan.TicksPerHour;
        amount = amount with { Connections = 0 };
        _hours[hour] = _hours.GetValueOrDefault(hour) + amount;
        _unwritten[hour] = _unwritten.GetValueOrDefault(hour) + amount;
    }

    private void DropLearned()
    {
        foreach (var hour in _hours.Keys.Where(hour => hour / HoursInDay < _day).ToList())
        {
            _hours.Remove(hour);
            _unwritten.Remove(hour);
        }
    }

    private static long Measure(SendingAmount amount, int measure) => measure switch
    {
        0 => amount.Messages,
        1 => amount.Recipients,
        2 => amount.FirstTimeRecipients,
        3 => amount.Bytes,
        _ => 0,
    };

    private static SendingAmount With(SendingAmount amount, int measure, long value) => measure switch
    {
        0 => amount with { Messages = value },
        1 => amount with { Recipients = value },
        2 => amount with { FirstTimeRecipients = value },
        3 => amount with { Bytes = value },
        _ => amount,
    };

    private static SendingAmount Larger(SendingAmount a, SendingAmount b) => new(Math.Max(a.Messages, b.Messages),
        Math.Max(a.Recipients, b.Recipients), Math.Max(a.FirstTimeRecipients, b.FirstTimeRecipients), Math.Max(a.Bytes, b.Bytes), 0);
}
