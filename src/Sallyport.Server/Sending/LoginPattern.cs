using System.Net;
using Sallyport.Mail.Policy;

namespace Sallyport.Server.Sending;

/// <summary>What the breaker knows of one login. Whoever uses it holds the breaker's lock.</summary>
internal sealed class LoginPattern(string login)
{
    /// <summary>Networks of the last hour remembered.</summary>
    private const int NetworksMax = 64;

    private const int RecipientsKept = 10;

    private readonly Dictionary<IPAddress, DateTimeOffset> _networks = [];
    private readonly Queue<string> _recipients = new();
    private long _dayNumber;
    private long _hourNumber;
    private SendingAmount _thisHour;
    private SendingAmount _today;
    private SendingAmount _peakToday;
    private int _hoursToday;
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
        Learn(amount, now);
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

    public StoredPattern ToStored() => new(Usual, _dayNumber, _today, Larger(_peakToday, _thisHour), _hoursToday)
    {
        Trip = Trip,
        Trusted = TrustedUntil is null ? null : _trusted,
        TrustedUntil = TrustedUntil,
    };

    public void Restore(StoredPattern stored, DateTimeOffset now)
    {
        (Usual, _dayNumber, _today, _peakToday, _hoursToday) =
            (stored.Usual, stored.DayNumber, stored.Today, stored.PeakToday, stored.HoursToday);
        (Trip, _trusted, TrustedUntil) = (stored.Trip, stored.Trusted ?? default, stored.TrustedUntil);
        UsedAt = now;
    }

    private void Learn(SendingAmount amount, DateTimeOffset now)
    {
        var (day, hour) = (now.UtcTicks / TimeSpan.TicksPerDay, now.UtcTicks / TimeSpan.TicksPerHour);
        if (hour != _hourNumber)
        {
            _peakToday = Larger(_peakToday, _thisHour);
            (_hourNumber, _thisHour) = (hour, default);
            _hoursToday++;
        }

        if (day != _dayNumber)
        {
            if (!_today.IsZero)
            {
                Usual = Usual.After(_today, _peakToday, _hoursToday - 1);
            }

            (_dayNumber, _today, _peakToday, _hoursToday) = (day, default, default, 1);
        }

        _thisHour += amount;
        _today += amount;
    }

    private static SendingAmount Larger(SendingAmount a, SendingAmount b) => new(Math.Max(a.Messages, b.Messages),
        Math.Max(a.Recipients, b.Recipients), Math.Max(a.FirstTimeRecipients, b.FirstTimeRecipients), Math.Max(a.Bytes, b.Bytes), 0);
}
