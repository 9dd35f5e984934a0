using System.Net;
using System.Text.Json;
using Sallyport.Server.Configuration;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Guard;

/// <summary>
/// What the guard remembers: in memory to decide, written behind to last and for other nodes. Whoever uses it holds <see cref="Gate"/>.
/// </summary>
public sealed class LoginFailureTracker : ICounterHolder
{
    private const int StaleMax = 10_000;
    private const int NamesMax = 200_000;

    private readonly WriteBehindBuffer _buffer;
    private readonly FailureCounts _counts;
    private readonly Dictionary<IPAddress, Ban> _bans = [];
    private readonly Dictionary<LoginOrigin, (KnownNetwork Network, DateTimeOffset ExpiresAt)> _known = [];
    private readonly Dictionary<IPAddress, int> _knownNetworks = [];
    private readonly Dictionary<string, DateTimeOffset> _wrong = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StaleSecret> _stale = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private DateTimeOffset _prunedAt;

    private LoginFailureTracker(WriteBehindBuffer buffer) => (_buffer, _counts) = (buffer, new FailureCounts(buffer));

    /// <summary>Before that of the write-behind buffer, after none.</summary>
    public Lock Gate { get; } = new();

    public IReadOnlyCollection<Ban> Bans => _bans.Values;

    public IReadOnlyCollection<StaleSecret> StaleSecrets => _stale.Values;

    CounterKind ICounterHolder.Kind => CounterKind.LoginFailures;

    public static async ValueTask<LoginFailureTracker> LoadAsync(SiteState state, CancellationToken cancel)
    {
        var tracker = new LoginFailureTracker(state.Buffer);
        await state.Registry.JoinAsync(new RegistryHolder(RegistryKind.Ban, tracker.ApplyBan, tracker.BanKeys), cancel);
        await state.Registry.JoinAsync(new RegistryHolder(RegistryKind.KnownNetwork, tracker.ApplyKnown, KnownKeys), cancel);
        await state.Registry.JoinAsync(tracker, cancel);
        return tracker;
    }

    /// <summary>A failure that this or another node has counted.</summary>
    void ICounterHolder.Apply(Counter counter)
    {
        lock (Gate)
        {
            _counts.Apply(counter);
        }
    }

    private void ApplyBan(RegistryEntry entry)
    {
        var (network, ban) = (IPAddress.Parse(entry.Key), entry.Value is { } value ? StoredJson.Read(value, GuardJson.Default.Ban) : null);
        lock (Gate)
        {
            if (ban is not null)
            {
                _bans[network] = ban;
            }
            else
            {
                _bans.Remove(network);
            }
        }
    }

    private void ApplyKnown(RegistryEntry entry)
    {
        if (LoginOrigin.Parse(entry.Key) is { } origin && entry.Value is { } value)
        {
            var known = StoredJson.Read(value, GuardJson.Default.KnownNetwork);
            lock (Gate)
            {
                Know(origin, known, entry.ExpiresAt ?? DateTimeOffset.MaxValue);
            }
        }
    }

    private List<string> BanKeys()
    {
        lock (Gate)
        {
            return [.. _bans.Keys.Select(network => network.ToString())];
        }
    }

    /// <summary>A known network is never removed; it expires.</summary>
    private static List<string> KnownKeys() => [];

    internal SlidingCount OfOrigin(LoginOrigin origin) => _counts.OfOrigin(origin);

    internal SlidingCount OfNetwork(IPAddress network) => _counts.OfNetwork(network);

    internal SlidingCount OfLogin(string login) => _counts.OfLogin(login);

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
    public LoginOrigin Learn(LoginOrigin typed, string name, TimeSpan window)
    {
        if (typed.Login == name)
        {
            return typed;
        }

        if (_names.Count >= NamesMax)
        {
            _names.Clear();
        }

        _names[typed.Login] = name;
        var origin = typed with { Login = name };
        _counts.Move(typed, origin, window);
        return origin;
    }

    /// <summary>An attempt that may be a guess: counted until it turns out right.</summary>
    public void Count(LoginOrigin origin, DateTimeOffset now, TimeSpan window) => _counts.Count(origin, now, window);

    public void Count(IPAddress network, DateTimeOffset now, TimeSpan window) => _counts.Count(network, now, window);

    public void Release(LoginOrigin origin) => _counts.Release(origin);

    public void Succeeded(LoginOrigin origin, DateTimeOffset now, TimeSpan knownFor)
    {
        _counts.Forgive(origin);
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
            if (origin.Key.Length <= FailureCounts.KeyCharactersMax)
            {
                _buffer.Put(RegistryKind.KnownNetwork, origin.Key, JsonSerializer.SerializeToUtf8Bytes(known, GuardJson.Default.KnownNetwork),
                    now + knownFor);
            }
        }
    }

    /// <summary>Bans a network: twice as long as the last time.</summary>
    public Ban Punish(IPAddress network, GuardOptions options, DateTimeOffset now)
    {
        var count = _bans.TryGetValue(network, out var last) && now - last.Until < options.BanMax ? last.Count + 1 : 1;
        var length = options.BanFirst * Math.Pow(2, Math.Min(count - 1, 20));
        length = length < options.BanMax ? length : options.BanMax;
        var why = $"{options.FailuresPerNetwork} failed logins within {options.Window.TotalMinutes:0} min";
        _counts.Clear(network);
        return Ban(network, new Ban(network.ToString(), now, now + length, count, "guard", why), options.BanMax);
    }

    public Ban Ban(IPAddress network, Ban ban, TimeSpan rememberedFor)
    {
        _bans[network] = ban;
        // Rare, and what an attacker would gain most from losing.
        _buffer.Put(RegistryKind.Ban, network.ToString(), JsonSerializer.SerializeToUtf8Bytes(ban, GuardJson.Default.Ban),
            ban.Until + rememberedFor, isUrgent: true);
        return ban;
    }

    public bool Unban(IPAddress network)
    {
        _buffer.Remove(RegistryKind.Ban, network.ToString(), isUrgent: true);
        _counts.Clear(network);
        return _bans.Remove(network);
    }

    public void Forget(string login)
    {
        _counts.Clear(login);
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

        _counts.Prune(now);
        foreach (var network in _bans.Where(entry => now - entry.Value.Until > TimeSpan.FromDays(30)).Select(entry => entry.Key).ToList())
        {
            _bans.Remove(network);
        }
    }
}
