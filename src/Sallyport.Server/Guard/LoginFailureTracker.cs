using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sallyport.Server.Configuration;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Guard;

/// <summary>What the guard remembers: in memory to decide, through the journal to last. Whoever uses it holds its lock.</summary>
public sealed class LoginFailureTracker
{
    private const int TimesMax = 1000;
    private const int StaleMax = 10_000;
    private const int CountsMax = 200_000;

    private readonly WriteBehindBuffer _journal;
    private readonly Dictionary<LoginOrigin, SlidingCount> _origins = [];
    private readonly Dictionary<IPAddress, SlidingCount> _networks = [];
    private readonly Dictionary<string, SlidingCount> _logins = new(StringComparer.Ordinal);
    private readonly Dictionary<IPAddress, Ban> _bans = [];
    private readonly Dictionary<LoginOrigin, (KnownNetwork Network, DateTimeOffset ExpiresAt)> _known = [];
    private readonly Dictionary<IPAddress, int> _knownNetworks = [];
    private readonly Dictionary<string, DateTimeOffset> _wrong = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StaleSecret> _stale = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private DateTimeOffset _prunedAt;

    private LoginFailureTracker(WriteBehindBuffer journal) => _journal = journal;

    public IReadOnlyCollection<Ban> Bans => _bans.Values;

    public IReadOnlyCollection<StaleSecret> StaleSecrets => _stale.Values;

    public static async ValueTask<LoginFailureTracker> LoadAsync(IFacts facts, WriteBehindBuffer journal, CancellationToken cancel)
    {
        var book = new LoginFailureTracker(journal);
        await StoredFacts.ReadAsync(facts, FactKind.Ban, GuardJson.Default.Ban, journal.Log,
            (fact, ban) => book._bans[IPAddress.Parse(fact.Key)] = ban, cancel);
        await StoredFacts.ReadAsync(facts, FactKind.KnownNetwork, GuardJson.Default.KnownNetwork, journal.Log,
            (fact, known) => book.Know(Origin(fact.Key)!.Value, known, fact.ExpiresAt ?? DateTimeOffset.MaxValue), cancel);
        await StoredFacts.ReadAsync(facts, FactKind.LoginFailures, GuardJson.Default.Failures, journal.Log,
            (fact, failures) => book.Restore(fact.Key, failures), cancel);
        return book;
    }

    internal SlidingCount OfOrigin(LoginOrigin origin) => Of(_origins, origin);

    internal SlidingCount OfNetwork(IPAddress network) => Of(_networks, network);

    internal SlidingCount OfLogin(string login) => Of(_logins, login);

    public Ban? FindBan(IPAddress network, DateTimeOffset now) => _bans.TryGetValue(network, out var ban) && ban.Until > now ? ban : null;

    public bool IsKnown(LoginOrigin origin, DateTimeOffset now) => _known.TryGetValue(origin, out var known) && known.ExpiresAt > now;

    /// <summary>True when some login has succeeded from there.</summary>
    public bool IsKnown(IPAddress network) => _knownNetworks.ContainsKey(network);

    /// <summary>True when so many logins are known, and none from anywhere but this machine itself.</summary>
    public bool IsAllLoopback(int least) => _knownNetworks.Values.Sum() >= least && _knownNetworks.Keys.All(IPAddress.IsLoopback);

    /// <summary>The login by the one name its directory has for it, where that is known: the names it goes by are not a login each.</summary>
    public string NameOf(string typed) => _names.GetValueOrDefault(typed, typed);

    /// <summary>A directory has said whose name was typed: what was counted under it counts for that login.</summary>
    /// <returns>The same origin by that name.</returns>
    public LoginOrigin Learn(LoginOrigin typed, string name)
    {
        if (typed.Login == name)
        {
            return typed;
        }

        if (_names.Count >= CountsMax)
        {
            _names.Clear();
        }

        _names[typed.Login] = name;
        var origin = typed with { Login = name };
        if (_origins.Remove(typed, out var here))
        {
            OfOrigin(origin).Add(here.Times);
            _journal.Remove(FactKind.LoginFailures, "origin\n" + Key(typed));
        }

        if (_logins.Remove(typed.Login, out var everywhere))
        {
            OfLogin(name).Add(everywhere.Times);
            _journal.Remove(FactKind.LoginFailures, "login\n" + typed.Login);
        }

        return origin;
    }

    /// <summary>An attempt that may be a guess: counted until it turns out right.</summary>
    public void Count(LoginOrigin origin, DateTimeOffset now)
    {
        OfOrigin(origin).Add(now);
        OfNetwork(origin.Network).Add(now);
        OfLogin(origin.Login).Add(now);
    }

    public void Release(LoginOrigin origin)
    {
        OfOrigin(origin).Release();
        OfNetwork(origin.Network).Release();
        OfLogin(origin.Login).Release();
    }

    public void Succeeded(LoginOrigin origin, DateTimeOffset now, TimeSpan knownFor)
    {
        // What was mistyped here is forgiven. What others guess from elsewhere counts on: a busy user's every login would
        // else give them another handful of guesses.
        if (_origins.Remove(origin, out var mistyped) && _logins.TryGetValue(origin.Login, out var failures))
        {
            failures.Release(mistyped.Times);
            if (mistyped.Times.Count > 1)
            {
                _journal.Remove(FactKind.LoginFailures, "origin\n" + Key(origin)); // more than this attempt: it was stored
            }

            if (failures.IsEmpty)
            {
                _logins.Remove(origin.Login);
                _journal.Remove(FactKind.LoginFailures, "login\n" + origin.Login);
            }
        }

        _networks.GetValueOrDefault(origin.Network)?.Release();
        Know(origin, now, knownFor);
    }

    /// <summary>The login has succeeded from there.</summary>
    public void Know(LoginOrigin origin, DateTimeOffset now, TimeSpan knownFor)
    {
        var known = _known.GetValueOrDefault(origin).Network ?? new KnownNetwork(now, DateTimeOffset.MinValue);
        if (now - known.Last >= TimeSpan.FromDays(1))
        {
            known = known with { Last = now };
            Know(origin, known, now + knownFor);
            Put(FactKind.KnownNetwork, Key(origin), known, GuardJson.Default.KnownNetwork, now + knownFor);
        }
    }

    /// <summary>Bans a network: twice as long as the last time.</summary>
    public Ban Punish(IPAddress network, GuardOptions options, DateTimeOffset now)
    {
        var count = _bans.TryGetValue(network, out var last) && now - last.Until < options.BanMax ? last.Count + 1 : 1;
        var length = options.BanFirst * Math.Pow(2, Math.Min(count - 1, 20));
        length = length < options.BanMax ? length : options.BanMax;
        var why = $"{options.FailuresPerNetwork} failed logins within {options.Window.TotalMinutes:0} min";
        OfNetwork(network).Clear();
        return Ban(network, new Ban(network.ToString(), now, now + length, count, "guard", why), options.BanMax);
    }

    public Ban Ban(IPAddress network, Ban ban, TimeSpan rememberedFor)
    {
        _bans[network] = ban;
        Put(FactKind.Ban, network.ToString(), ban, GuardJson.Default.Ban, ban.Until + rememberedFor);
        _ = _journal.FlushAsync(); // rare, and what an attacker would gain most from losing
        return ban;
    }

    public bool Unban(IPAddress network)
    {
        _journal.Remove(FactKind.Ban, network.ToString());
        _networks.Remove(network);
        return _bans.Remove(network);
    }

    public void Forget(string login)
    {
        _logins.Remove(login);
        _journal.Remove(FactKind.LoginFailures, "login\n" + login);
        foreach (var origin in _origins.Keys.Where(origin => origin.Login == login).ToList())
        {
            _origins.Remove(origin);
        }

        _wrong.Clear(); // names of secrets do not tell whose they are; each costs one more question at most
        foreach (var name in _stale.Where(entry => entry.Value.Login == login).Select(entry => entry.Key).ToList())
        {
            _stale.Remove(name);
        }
    }

    public bool FindWrong(string secret, TimeSpan recheck, DateTimeOffset now) =>
        _wrong.TryGetValue(secret, out var askedAt) && now - askedAt < recheck;

    public void RememberWrong(string secret, DateTimeOffset now, int entriesMax)
    {
        if (_wrong.Count >= entriesMax)
        {
            _wrong.Clear();
        }

        _wrong[secret] = now;
        Prune(now);
    }

    /// <summary>A secret that was not asked for, since its login must wait. True when it had not been offered so within the window.</summary>
    public bool RememberRefused(string secret, DateTimeOffset now, GuardOptions options)
    {
        if (_refused.Count >= options.EntriesMax)
        {
            _refused.Clear();
        }

        var isNew = !_refused.TryGetValue(secret, out var last) || now - last >= options.Window;
        _refused[secret] = now;
        return isNew;
    }

    /// <summary>Returns how often this secret was offered again.</summary>
    public int CountStale(string secret, string login, IPAddress client, DateTimeOffset now)
    {
        if (_stale.Count >= StaleMax && !_stale.ContainsKey(secret))
        {
            _stale.Remove(_stale.MinBy(entry => entry.Value.Last).Key);
        }

        var stale = _stale.GetValueOrDefault(secret) ?? new StaleSecret(login, client.ToString(), now, now, 0);
        _stale[secret] = stale = stale with { Client = client.ToString(), Last = now, Times = stale.Times + 1 };
        return stale.Times;
    }

    /// <summary>The count of a network goes to the store.</summary>
    public void Store(IPAddress network, TimeSpan window) =>
        StoreCount("network\n" + network, _networks.GetValueOrDefault(network), window);

    /// <summary>The counts of an origin go to the store.</summary>
    public void Store(LoginOrigin origin, TimeSpan window)
    {
        StoreCount("login\n" + origin.Login, _logins.GetValueOrDefault(origin.Login), window);
        Store(origin.Network, window);
        StoreCount("origin\n" + Key(origin), _origins.GetValueOrDefault(origin), window);
    }

    private void StoreCount(string key, SlidingCount? count, TimeSpan window)
    {
        if (count is { IsEmpty: false } && key.Length <= 500)
        {
            Put(FactKind.LoginFailures, key, new Failures([.. count.Times]), GuardJson.Default.Failures, count.Times.Last() + window);
        }
    }

    private void Restore(string key, Failures failures)
    {
        var parts = key.Split('\n', 2);
        var count = parts[0] switch
        {
            "login" => OfLogin(parts[1]),
            "network" when IPAddress.TryParse(parts[1], out var network) => OfNetwork(network),
            "origin" when Origin(parts[1]) is { } origin => OfOrigin(origin),
            _ => new SlidingCount(TimesMax),
        };
        foreach (var at in failures.At)
        {
            count.Add(at);
        }
    }

    private void Know(LoginOrigin origin, KnownNetwork known, DateTimeOffset expiresAt)
    {
        if (!_known.ContainsKey(origin))
        {
            _knownNetworks[origin.Network] = _knownNetworks.GetValueOrDefault(origin.Network) + 1;
        }

        _known[origin] = (known, expiresAt);
    }

    /// <summary>Lets go of what no longer counts, now and then.</summary>
    private void Prune(DateTimeOffset now)
    {
        if (now - _prunedAt < TimeSpan.FromMinutes(10))
        {
            return;
        }

        _prunedAt = now;
        foreach (var origin in _known.Where(entry => entry.Value.ExpiresAt <= now).Select(entry => entry.Key).ToList())
        {
            _known.Remove(origin);
            if (--_knownNetworks[origin.Network] == 0)
            {
                _knownNetworks.Remove(origin.Network);
            }
        }

        PruneOf(_origins, now);
        PruneOf(_networks, now);
        PruneOf(_logins, now);
        foreach (var network in _bans.Where(entry => now - entry.Value.Until > TimeSpan.FromDays(30)).Select(entry => entry.Key).ToList())
        {
            _bans.Remove(network);
        }
    }

    private static void PruneOf<TKey>(Dictionary<TKey, SlidingCount> counts, DateTimeOffset now)
        where TKey : notnull
    {
        foreach (var key in counts.Where(entry => entry.Value.Within(TimeSpan.FromDays(1), now) == 0).Select(entry => entry.Key).ToList())
        {
            counts.Remove(key);
        }
    }

    private static SlidingCount Of<TKey>(Dictionary<TKey, SlidingCount> counts, TKey key)
        where TKey : notnull
    {
        if (!counts.TryGetValue(key, out var count))
        {
            MakeRoom(counts);
            counts[key] = count = new SlidingCount(TimesMax);
        }

        return count;
    }

    /// <summary>Those with the fewest failures go first: a flood of made-up names does not make the guard forget whom it watches.</summary>
    private static void MakeRoom<TKey>(Dictionary<TKey, SlidingCount> counts)
        where TKey : notnull
    {
        for (var few = 1; counts.Count >= CountsMax; few *= 2)
        {
            foreach (var key in counts.Where(entry => entry.Value.Times.Count <= few).Select(entry => entry.Key).ToList())
            {
                counts.Remove(key);
            }
        }
    }

    private void Put<T>(FactKind kind, string key, T value, JsonTypeInfo<T> type, DateTimeOffset expiresAt) =>
        _journal.Put(new Fact(kind, key, JsonSerializer.SerializeToUtf8Bytes(value, type), expiresAt));

    private static string Key(LoginOrigin origin) => $"{origin.Login}\n{origin.Network}";

    private static LoginOrigin? Origin(string key)
    {
        var at = key.LastIndexOf('\n');
        return at > 0 && IPAddress.TryParse(key.AsSpan(at + 1), out var network) ? new LoginOrigin(key[..at], network) : null;
    }
}
