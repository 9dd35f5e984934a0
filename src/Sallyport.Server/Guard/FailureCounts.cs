using System.Net;
using Sallyport.Server.State;
using Sallyport.Store;

namespace Sallyport.Server.Guard;

/// <summary>
/// When logins failed, for each login, network and pair of them, on all nodes: each moment is a count of its own in the store. Whoever
/// uses it holds the tracker's lock.
/// </summary>
internal sealed class FailureCounts(WriteBehindBuffer buffer)
{
    /// <summary>What is counted for a longer name lives in memory only.</summary>
    public const int KeyCharactersMax = 500;

    private const int TimesMax = 1000;
    private const int CountsMax = 200_000;

    private readonly Dictionary<LoginOrigin, SlidingCount> _origins = [];
    private readonly Dictionary<IPAddress, SlidingCount> _networks = [];
    private readonly Dictionary<string, SlidingCount> _logins = new(StringComparer.Ordinal);

    public SlidingCount OfOrigin(LoginOrigin origin) => Of(_origins, origin);

    public SlidingCount OfNetwork(IPAddress network) => Of(_networks, network);

    public SlidingCount OfLogin(string login) => Of(_logins, login);

    /// <summary>As all nodes have counted it.</summary>
    public void Apply(Counter counter)
    {
        var parts = counter.Key.Split('\n', 2);
        var count = parts[0] switch
        {
            "login" => OfLogin(parts[1]),
            "network" when IPAddress.TryParse(parts[1], out var network) => OfNetwork(network),
            "origin" when LoginOrigin.Parse(parts[1]) is { } origin => OfOrigin(origin),
            _ => null,
        };
        count?.Set(DateTimeOffset.FromUnixTimeMilliseconds(counter.Bucket), counter.Value + buffer.PendingOf(counter));
    }

    public void Count(LoginOrigin origin, DateTimeOffset now, TimeSpan window)
    {
        Count(OfOrigin(origin), NameOf(origin), now, window);
        Count(OfLogin(origin.Login), NameOf(origin.Login), now, window);
        Count(origin.Network, now, window);
    }

    public void Count(IPAddress network, DateTimeOffset now, TimeSpan window) => Count(OfNetwork(network), NameOf(network), now, window);

    /// <summary>The last attempt was no guess.</summary>
    public void Release(LoginOrigin origin)
    {
        Release(OfOrigin(origin), NameOf(origin));
        Release(OfLogin(origin.Login), NameOf(origin.Login));
        Release(OfNetwork(origin.Network), NameOf(origin.Network));
    }

    /// <summary>
    /// The login has succeeded. What was mistyped there is forgiven. What others guess from elsewhere counts on: a busy user's every login
    /// would else give them another handful of guesses.
    /// </summary>
    public void Forgive(LoginOrigin origin)
    {
        if (_origins.Remove(origin, out var mistyped))
        {
            Subtract(NameOf(origin), mistyped.Times);
            if (_logins.TryGetValue(origin.Login, out var failures))
            {
                Subtract(NameOf(origin.Login), failures.Release(mistyped.Times));
                if (failures.IsEmpty)
                {
                    _logins.Remove(origin.Login);
                }
            }
        }

        if (_networks.TryGetValue(origin.Network, out var network))
        {
            Release(network, NameOf(origin.Network));
        }
    }

    /// <summary>What was counted under the name that was typed counts for the login.</summary>
    public void Move(LoginOrigin typed, LoginOrigin origin, TimeSpan window)
    {
        if (_origins.Remove(typed, out var here))
        {
            OfOrigin(origin).Add(here.Times);
            Move(here.Times, NameOf(typed), NameOf(origin), window);
        }

        if (_logins.Remove(typed.Login, out var everywhere))
        {
            OfLogin(origin.Login).Add(everywhere.Times);
            Move(everywhere.Times, NameOf(typed.Login), NameOf(origin.Login), window);
        }
    }

    public void Clear(IPAddress network)
    {
        if (_networks.Remove(network, out var count))
        {
            Subtract(NameOf(network), count.Times);
        }
    }

    public void Clear(string login)
    {
        if (_logins.Remove(login, out var everywhere))
        {
            Subtract(NameOf(login), everywhere.Times);
        }

        foreach (var (origin, count) in _origins.Where(pair => pair.Key.Login == login).ToList())
        {
            _origins.Remove(origin);
            Subtract(NameOf(origin), count.Times);
        }
    }

    /// <summary>Drops what no longer counts.</summary>
    public void Prune(DateTimeOffset now)
    {
        PruneOf(_origins, now);
        PruneOf(_networks, now);
        PruneOf(_logins, now);
    }

    private void Count(SlidingCount count, string name, DateTimeOffset now, TimeSpan window)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()); // as the store can say it
        count.Add(at);
        Add(name, at, 1, at + window);
    }

    private void Release(SlidingCount count, string name)
    {
        if (count.Release() is { } at)
        {
            Add(name, at, -1, at);
        }
    }

    private void Move(IReadOnlyCollection<DateTimeOffset> times, string from, string to, TimeSpan window)
    {
        Subtract(from, times);
        foreach (var at in times)
        {
            Add(to, at, 1, at + window);
        }
    }

    private void Subtract(string name, IEnumerable<DateTimeOffset> times)
    {
        foreach (var at in times)
        {
            Add(name, at, -1, at);
        }
    }

    private void Add(string name, DateTimeOffset at, int delta, DateTimeOffset expiresAt)
    {
        if (name.Length <= KeyCharactersMax)
        {
            buffer.Add(new CounterDelta(CounterKind.LoginFailures, name, at.ToUnixTimeMilliseconds(), 0, delta, expiresAt));
        }
    }

    private static string NameOf(LoginOrigin origin) => "origin\n" + origin.Key;

    private static string NameOf(string login) => "login\n" + login;

    private static string NameOf(IPAddress network) => "network\n" + network;

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
}
