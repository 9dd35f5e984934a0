using System.Collections.Immutable;
using System.Text.Json;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Limits;
using Sallyport.Server.State;
using Sallyport.Server.Telemetry;
using Sallyport.Store;

namespace Sallyport.Server.Sending;

/// <summary>
/// Stops a login that departs from what is usual for it: from that message on its mail is held, until the administrator lets it go.
/// Counts what it lets go itself, under its own lock and before the message is kept, so that no number of sessions together passes a
/// limit. In memory to decide, through the journal to last; a trip is stored at once.
/// </summary>
public sealed class Breaker : ISendingMonitor
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

    private readonly WriteBehindBuffer _journal;
    private readonly IMailLog _log;
    private readonly TimeProvider _time;
    private readonly Func<BreakerOptions> _options;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LoginPattern> _patterns = new(StringComparer.Ordinal);
    private readonly HashSet<LoginPattern> _changed = [];

    private Breaker(WriteBehindBuffer journal, IMailLog log, TimeProvider time, Func<BreakerOptions> options) =>
        (_journal, _log, _time, _options) = (journal, log, time, options);

    /// <summary>Told of every trip, under no lock.</summary>
    public Action<Trip>? Tripped { get; set; }

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
        IFacts facts, WriteBehindBuffer journal, IMailLog log, TimeProvider time, Func<BreakerOptions> options, CancellationToken cancel)
    {
        var breaker = new Breaker(journal, log, time, options);
        await StoredFacts.ReadAsync(facts, FactKind.Baseline, BreakerJson.Default.StoredPattern, log,
            (fact, stored) => breaker.Find(fact.Key).Restore(stored, time.GetUtcNow()), cancel);
        journal.Collecting += breaker.Collect;
        return breaker;
    }

    public string? Judge(SendingFacts facts)
    {
        var options = _options();
        Trip? tripped;
        lock (_gate)
        {
            var pattern = Find(facts.Login);
            var asked = new SendingAmount(1, facts.Recipients, facts.FirstTimeRecipients, facts.Bytes, 0);
            var trusted = options.IsTrusted(facts.Client);
            var limits = options.LimitsOf(facts.Login, facts.Groups);
            pattern.SeenFrom(trusted ? null : ConnectionGate.NetworkOf(facts.Client), facts.Sample, facts.At);
            if (pattern.Trip is { } before && limits is not null)
            {
                pattern.Hold(asked, facts.At);
                return before.Reason;
            }

            var sign = trusted || limits is null ? null : BreakerPolicy.Judge(limits, pattern.FactsFor(asked, facts.At));
            if (sign is null)
            {
                pattern.LetGo(asked, counts: !trusted, facts.At);
                _changed.Add(pattern);
                return null;
            }

            pattern.Hold(asked, facts.At);
            pattern.Trip = tripped = NewTrip(pattern, sign, facts);
            Store(pattern);
        }

        _ = _journal.FlushAsync(); // rare, and a restart must not let the rest go
        _log.Write(new MailEvent.BreakerTripped(tripped.Login, tripped.Client, tripped.Sign, tripped.Count, tripped.Allowed, tripped.Usual,
            tripped.Reason));
        Tripped?.Invoke(tripped);
        return tripped.Reason;
    }

    public bool HasRoomFor(string login, ImmutableArray<string> groups)
    {
        lock (_gate)
        {
            return !_patterns.TryGetValue(login, out var pattern) || pattern.Trip is null || _options().LimitsOf(login, groups) is null
                || (pattern.Stopped.Bytes < HeldBytesMax && pattern.Stopped.Messages < HeldMessagesMax);
        }
    }

    /// <summary>What became of a recipient of its. The trip, when the login is stopped.</summary>
    public Trip? Settled(string login, RecipientState state)
    {
        lock (_gate)
        {
            if (login.Length == 0 || !_patterns.TryGetValue(login, out var pattern))
            {
                return null;
            }

            if (state is RecipientState.Relayed or RecipientState.Failed)
            {
                pattern.Settled(state == RecipientState.Failed, _time.GetUtcNow());
                _changed.Add(pattern);
            }

            return pattern.Trip;
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
    /// <param name="trust">What it did is usual for it: for <see cref="TrustedFor"/> twice as much is let go.</param>
    /// <returns>True when one was stopped.</returns>
    public bool Resume(string? login, bool trust)
    {
        var now = _time.GetUtcNow();
        int forgiven;
        lock (_gate)
        {
            var which = _patterns.Values.Where(pattern => pattern.Trip is not null && (login is null || Same(pattern.Login, login))).ToList();
            forgiven = which.Count;
            foreach (var pattern in which)
            {
                pattern.Forgive(trust ? TrustedFor : null, now);
                Store(pattern);
            }
        }

        if (forgiven > 0)
        {
            _ = _journal.FlushAsync();
        }

        return forgiven > 0;
    }

    public BreakerState StateOf(string login, ImmutableArray<string> groups)
    {
        var now = _time.GetUtcNow();
        lock (_gate)
        {
            var pattern = _patterns.GetValueOrDefault(login) ?? _patterns.Values.FirstOrDefault(one => Same(one.Login, login))
                ?? new LoginPattern(login);
            var facts = pattern.FactsFor(default, now);
            return new BreakerState(pattern.Login, pattern.Trip,
                _options().LimitsOf(pattern.Login, groups) is { } limits ? [.. BreakerPolicy.Signs(limits, facts)] : [],
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
        pattern.IsDirty = false;
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
