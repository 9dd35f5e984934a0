using System.Collections.Immutable;
using System.Text.Json;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Limits;
using Sallyport.Server.Outcomes;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>
/// Stops a login that departs from what is usual for it: from that message on its mail is held, until the administrator resumes it.
/// Decides on what the ledger has counted and reserved, under the ledger's lock, so that no number of sessions together passes a limit
/// and nothing counts that was not sent. In memory to decide, written behind to last; a trip is stored at once.
/// </summary>
public sealed class Breaker : ISendingMonitor, IOutcomeSubscriber
{
    /// <summary>Logins remembered; beyond it those idle for longest are as if never seen, but never one that is stopped.</summary>
    public const int LoginsMax = 100_000;

    /// <summary>
    /// Taken of a login while it is stopped; then it is refused. Held mail waits for the administrator, and must not fill the disk for
    /// all others meanwhile.
    /// </summary>
    public const long HeldBytesMax = 1L << 30;

    public const long HeldMessagesMax = 20_000;

    /// <summary>How long what the administrator trusts is usual.</summary>
    public static readonly TimeSpan TrustedFor = TimeSpan.FromDays(30);

    private const int KeyCharactersMax = 480;
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(180);

    private readonly UsageLedger _ledger;
    private readonly WriteBehindBuffer _journal;
    private readonly IMailLog _log;
    private readonly TimeProvider _time;
    private readonly IOptionsInForce _site;
    private readonly TripQueue _trips;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LoginPattern> _patterns = new(StringComparer.Ordinal);
    private readonly HashSet<LoginPattern> _changed = [];

    private Breaker(UsageLedger ledger, WriteBehindBuffer journal, TripQueue trips, IMailLog log, TimeProvider time, IOptionsInForce site) =>
        (_ledger, _journal, _trips, _log, _time, _site) = (ledger, journal, trips, log, time, site);

    public string Name => "the breaker";

    /// <summary>Those stopped now.</summary>
    public IReadOnlyList<Trip> Trips
    {
        get
        {
            lock (_gate)
            {
                return [.. _patterns.Values.Select(pattern => pattern.Trip).OfType<Trip>().OrderBy(trip => trip.Login, StringComparer.Ordinal)];
            }
        }
    }

    public static async ValueTask<Breaker> LoadAsync(
        IFacts facts, UsageLedger ledger, WriteBehindBuffer journal, TripQueue trips, IMailLog log, TimeProvider time, IOptionsInForce site,
        CancellationToken cancel)
    {
        var breaker = new Breaker(ledger, journal, trips, log, time, site);
        await StoredFacts.ReadAsync(facts, FactKind.Baseline, BreakerJson.Default.StoredPattern, log, (fact, stored) =>
        {
            var pattern = breaker.Find(fact.Key);
            pattern.Restore(stored, time.GetUtcNow());
            if (ledger.TakeOver(fact.Key, stored))
            {
                breaker._changed.Add(pattern); // stored without it in the commit that stores the ledger with it
            }
        }, cancel);
        journal.Collecting += breaker.Collect;
        return breaker;
    }

    public SendingDecision Evaluate(SendingFacts facts)
    {
        var options = _site.Options.Breaker;
        lock (_gate)
        {
            var pattern = Find(facts.Login);
            var trusted = options.IsTrusted(facts.Client);
            var limits = options.LimitsOf(facts.Login, facts.Groups);
            pattern.SeenFrom(trusted ? null : ConnectionGate.NetworkOf(facts.Client), facts.Sample, facts.At);
            if (limits is not null && pattern.Trip is { } before)
            {
                return new SendingDecision(before.Reason);
            }

            if (trusted || limits is null || BreakerPolicy.Evaluate(limits, pattern.FactsFor(facts.Amount, facts.Passed, facts.At)) is not { } sign)
            {
                return new SendingDecision(null, Counts: !trusted);
            }

            var trip = pattern.Trip = NewTrip(pattern, sign, facts);
            Store(pattern);
            return new SendingDecision(trip.Reason, Counts: false, trip);
        }
    }

    public void Announce(SendingDecision decision)
    {
        if (decision.Trip is { } trip)
        {
            _ = _journal.FlushAsync(); // rare, and a restart must not let the rest go
            _log.Write(new MailEvent.BreakerTripped(
                trip.Login, trip.Client, trip.Sign, trip.Count, trip.Allowed, trip.Usual, trip.Reason));
            _trips.Follow(trip);
        }
    }

    public void Committed(string login, SendingAmount amount, bool held)
    {
        lock (_gate)
        {
            var pattern = Find(login);
            if (held)
            {
                pattern.Hold(amount, _time.GetUtcNow());
            }
            else
            {
                pattern.Sent(amount, _time.GetUtcNow());
                _changed.Add(pattern);
            }
        }
    }

    public bool HasRoomFor(string login, ImmutableArray<string> groups)
    {
        lock (_gate)
        {
            return !_patterns.TryGetValue(login, out var pattern) || pattern.Trip is null || _site.Options.Breaker.LimitsOf(login, groups) is null
                || (pattern.Stopped.Bytes < HeldBytesMax && pattern.Stopped.Messages < HeldMessagesMax);
        }
    }

    /// <summary>Learns from what became of recipients; of a login that is stopped, what would be tried again is held.</summary>
    public ValueTask TakeAsync(MailOutcome outcome)
    {
        if (outcome is MailOutcome.RecipientSettled settled && Settled(settled.Login, settled.State) is { } trip
            && settled.State == RecipientState.Due)
        {
            _trips.HoldAgain(trip);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>What became of a recipient of its. The trip, when the login is stopped.</summary>
    public Trip? Settled(string login, RecipientState state)
    {
        if (login.Length == 0)
        {
            return null;
        }

        if (state is RecipientState.Relayed or RecipientState.Failed)
        {
            _ledger.CountOutcome(login, state == RecipientState.Failed);
        }

        lock (_gate)
        {
            return _patterns.GetValueOrDefault(login)?.Trip;
        }
    }

    public bool IsInForce(Trip trip)
    {
        lock (_gate)
        {
            return _patterns.TryGetValue(trip.Login, out var pattern) && pattern.Trip == trip;
        }
    }

    /// <summary>The administrator lets it send again.</summary>
    /// <param name="login">Null for all that are stopped.</param>
    /// <param name="trust">What it did is usual for it: for <see cref="TrustedFor"/> the limit is twice as much.</param>
    /// <returns>True when one was stopped.</returns>
    public bool Resume(string? login, bool trust)
    {
        var which = Trips.Where(trip => login is null || Same(trip.Login, login)).ToList();
        foreach (var trip in which)
        {
            var passed = _ledger.ClearPassed(trip.Login);
            lock (_gate)
            {
                var pattern = Find(trip.Login);
                pattern.Forgive(trust ? TrustedFor : null, passed, _time.GetUtcNow());
                Store(pattern);
            }
        }

        if (which.Count > 0)
        {
            _ = _journal.FlushAsync();
        }

        return which.Count > 0;
    }

    public BreakerState StateOf(string login, ImmutableArray<string> groups)
    {
        var now = _time.GetUtcNow();
        string name;
        lock (_gate)
        {
            name = _patterns.ContainsKey(login) ? login : _patterns.Keys.FirstOrDefault(one => Same(one, login)) ?? login;
        }

        var passed = _ledger.PassedOf(name);
        lock (_gate)
        {
            var pattern = _patterns.GetValueOrDefault(name) ?? new LoginPattern(name);
            var facts = pattern.FactsFor(default, passed, now);
            return new BreakerState(name, pattern.Trip,
                _site.Options.Breaker.LimitsOf(name, groups) is { } limits ? [.. BreakerPolicy.Signs(limits, facts)] : [],
                pattern.Usual, facts.Hour, facts.Day, facts.Networks, pattern.TrustedUntil > now ? pattern.TrustedUntil : null);
        }
    }

    private static Trip NewTrip(LoginPattern pattern, BreakerSign sign, SendingFacts facts)
    {
        var usual = sign.Usual > 0 ? $"; at most {sign.Usual} before" : "";
        return new Trip(pattern.Login, facts.At, sign.Name,
            $"stopped by the breaker at {facts.At.UtcDateTime:yyyy-MM-dd HH:mm}Z: {sign}{usual}", sign.Count, sign.Allowed, sign.Usual,
            facts.Client.ToString(), [.. pattern.Networks.Take(20)], [.. pattern.Recipients]);
    }

    private static bool Same(string one, string other) =>
        one == other || (Credentials.PrepareLogin(one) is { } prepared && prepared == Credentials.PrepareLogin(other));

    private void Collect()
    {
        lock (_gate)
        {
            foreach (var pattern in _changed)
            {
                Store(pattern);
            }

            _changed.Clear();
            foreach (var idle in _patterns.Values.Where(pattern => pattern.Trip is null).OrderBy(pattern => pattern.UsedAt)
                .Take(Math.Max(0, _patterns.Count - LoginsMax)).ToList())
            {
                _patterns.Remove(idle.Login);
                _journal.Remove(FactKind.Baseline, idle.Login);
            }
        }
    }

    private void Store(LoginPattern pattern)
    {
        if (pattern.Login.Length > KeyCharactersMax)
        {
            return; // counted in memory only
        }

        pattern.Prune(_time.GetUtcNow());
        var value = JsonSerializer.SerializeToUtf8Bytes(pattern.ToStored(), BreakerJson.Default.StoredPattern);
        // Who is stopped stays stopped, however long nobody looks.
        _journal.Put(new Fact(FactKind.Baseline, pattern.Login, value, pattern.Trip is null ? _time.GetUtcNow() + KeptFor : null));
    }

    private LoginPattern Find(string login)
    {
        if (!_patterns.TryGetValue(login, out var pattern))
        {
            _patterns[login] = pattern = new LoginPattern(login);
        }

        return pattern;
    }
}
