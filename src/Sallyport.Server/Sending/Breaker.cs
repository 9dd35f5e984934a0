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
public sealed class Breaker : ISendingMonitor, IOutcomeSubscriber, IRegistryHolder, ICounterHolder
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
    private const string StopSuffix = "stop";

    /// <summary>What was sent on a day is kept until it is learned, for so long a stop.</summary>
    private static readonly TimeSpan CountedFor = TimeSpan.FromDays(3);

    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(180);

    private readonly UsageLedger _ledger;
    private readonly WriteBehindBuffer _buffer;
    private readonly IMailLog _log;
    private readonly TimeProvider _time;
    private readonly IOptionsInForce _site;
    private readonly TripQueue _trips;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LoginPattern> _patterns = new(StringComparer.Ordinal);
    private readonly HashSet<LoginPattern> _changed = [];
    private long _learnedOn;

    private Breaker(SiteState state, UsageLedger ledger, TripQueue trips, IMailLog log, TimeProvider time, IOptionsInForce site) =>
        (_buffer, _ledger, _trips, _log, _time, _site) = (state.Buffer, ledger, trips, log, time, site);

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

    RegistryKind IRegistryHolder.Kind => RegistryKind.Baseline;

    CounterKind ICounterHolder.Kind => CounterKind.Pattern;

    public IReadOnlyCollection<string> Keys
    {
        get
        {
            lock (_gate)
            {
                return [.. _patterns.Values.SelectMany(one => one.ToStoredStop() is null ? [one.Login] : (string[])[one.Login, StopKey(one)])];
            }
        }
    }

    public static async ValueTask<Breaker> LoadAsync(
        SiteState state, UsageLedger ledger, TripQueue trips, IMailLog log, TimeProvider time, IOptionsInForce site, CancellationToken cancel)
    {
        var breaker = new Breaker(state, ledger, trips, log, time, site);
        await state.Registry.JoinAsync((IRegistryHolder)breaker, cancel);
        await state.Registry.JoinAsync((ICounterHolder)breaker, cancel);
        state.Buffer.Collecting += breaker.Collect;
        return breaker;
    }

    void IRegistryHolder.Apply(RegistryEntry entry)
    {
        var now = _time.GetUtcNow();
        lock (_gate)
        {
            switch (entry.Key.Split('\n'))
            {
                case [var login] when entry.Value is { } value:
                    var stored = StoredJson.Read(value, BreakerJson.Default.StoredPattern);
                    Find(login).Restore(stored, now);
                    if (stored.Trip is not null || stored.TrustedUntil is not null)
                    {
                        Find(login).Restore(
                            new StoredStop { Trip = stored.Trip, Trusted = stored.Trusted, TrustedUntil = stored.TrustedUntil }, now);
                    }

                    break;
                case [var login, StopSuffix]:
                    Find(login).Restore(entry.Value is { } stop ? StoredJson.Read(stop, BreakerJson.Default.StoredStop) : null, now);
                    break;
            }
        }
    }

    void ICounterHolder.Apply(Counter counter)
    {
        lock (_gate)
        {
            Find(counter.Key).Apply(counter.Bucket, counter.Measure, counter.Value + _buffer.PendingOf(counter));
        }
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
            StoreStop(pattern); // at once: a restart must not let the rest go
            return new SendingDecision(trip.Reason, Counts: false, trip);
        }
    }

    public void Announce(SendingDecision decision)
    {
        if (decision.Trip is { } trip)
        {
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
                LearnOf(pattern);
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
                StoreStop(pattern);
            }
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
            if (_time.GetUtcNow().UtcTicks / TimeSpan.TicksPerDay is var today && today != _learnedOn)
            {
                _learnedOn = today;
                foreach (var pattern in _patterns.Values)
                {
                    LearnOf(pattern);
                }
            }

            foreach (var pattern in _changed)
            {
                StoreSent(pattern);
            }

            _changed.Clear();
            foreach (var idle in _patterns.Values.Where(pattern => pattern.Trip is null).OrderBy(pattern => pattern.UsedAt)
                .Take(Math.Max(0, _patterns.Count - LoginsMax)).ToList())
            {
                _patterns.Remove(idle.Login);
                _buffer.Remove(RegistryKind.Baseline, idle.Login);
            }
        }
    }

    /// <summary>What is usual for it is stored when a day is over.</summary>
    private void LearnOf(LoginPattern pattern)
    {
        if (pattern.Learn(_time.GetUtcNow()))
        {
            Store(pattern);
        }
    }

    private void StoreSent(LoginPattern pattern)
    {
        var expires = _time.GetUtcNow() + CountedFor;
        foreach (var (hour, measure, value) in pattern.TakeUnwritten())
        {
            if (pattern.Login.Length <= KeyCharactersMax)
            {
                _buffer.Add(new CounterDelta(CounterKind.Pattern, pattern.Login, hour, measure, value, expires));
            }
        }
    }

    private void Store(LoginPattern pattern, bool isUrgent = false)
    {
        if (pattern.Login.Length <= KeyCharactersMax)
        {
            var value = JsonSerializer.SerializeToUtf8Bytes(pattern.ToStored(), BreakerJson.Default.StoredPattern);
            _buffer.Put(RegistryKind.Baseline, pattern.Login, value, _time.GetUtcNow() + KeptFor, isUrgent);
        }
    }

    private void StoreStop(LoginPattern pattern)
    {
        if (pattern.Login.Length > KeyCharactersMax)
        {
            return; // in memory only
        }

        if (pattern.ToStoredStop() is { } stop)
        {
            // Who is stopped stays stopped, however long nobody looks.
            _buffer.Put(RegistryKind.Baseline, StopKey(pattern), JsonSerializer.SerializeToUtf8Bytes(stop, BreakerJson.Default.StoredStop),
                stop.Trip is null ? stop.TrustedUntil : null);
        }
        else
        {
            _buffer.Remove(RegistryKind.Baseline, StopKey(pattern));
        }

        Store(pattern, isUrgent: true); // without what an older release may have stored there
    }

    private static string StopKey(LoginPattern pattern) => pattern.Login + "\n" + StopSuffix;

    private LoginPattern Find(string login)
    {
        if (!_patterns.TryGetValue(login, out var pattern))
        {
            _patterns[login] = pattern = new LoginPattern(login);
        }

        return pattern;
    }
}
