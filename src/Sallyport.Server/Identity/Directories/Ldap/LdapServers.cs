using System.Collections.Immutable;
using Sallyport.Server.Configuration;

namespace Sallyport.Server.Identity.Directories.Ldap;

/// <summary>
/// Which server is asked first. One that failed is left alone for a while that grows with each failure; then a single caller tries
/// it, and the others go on as if it were down.
/// </summary>
public sealed class LdapServers(ImmutableArray<LdapServerAddress> servers, TimeSpan patience, TimeProvider time, Action<string> notice)
{
    public static readonly TimeSpan BackOffFirst = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan BackOffMax = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<LdapServerAddress, Mark> _down = [];

    /// <summary>The servers to try now, in the configured order. Empty when all are down.</summary>
    public ImmutableArray<LdapServerAddress> Order()
    {
        lock (_gate)
        {
            return [.. servers.Where(IsDue)];
        }
    }

    /// <summary>What is wrong with those that are down.</summary>
    public string Errors()
    {
        lock (_gate)
        {
            return string.Join("; ", servers.Where(_down.ContainsKey).Select(server => $"{server}: {_down[server].Why}"));
        }
    }

    public void Failed(LdapServerAddress server, string why)
    {
        var first = false;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_down.TryGetValue(server, out var mark) && mark.Until > now && !mark.Trying)
            {
                return; // Another caller has just said so.
            }

            first = mark is null;
            var wait = mark is null ? BackOffFirst : mark.Wait * 2 < BackOffMax ? mark.Wait * 2 : BackOffMax;
            _down[server] = new Mark(now + wait, wait, why, false);
        }

        if (first)
        {
            notice($"{server} is down: {why}");
        }
    }

    public void Worked(LdapServerAddress server)
    {
        bool wasDown;
        lock (_gate)
        {
            wasDown = _down.Remove(server);
        }

        if (wasDown)
        {
            notice($"{server} answers again");
        }
    }

    private bool IsDue(LdapServerAddress server)
    {
        if (!_down.TryGetValue(server, out var mark))
        {
            return true;
        }

        var now = time.GetUtcNow();
        if (mark.Until > now)
        {
            return false;
        }

        _down[server] = mark with { Until = now + patience, Trying = true };
        return true;
    }

    private sealed record Mark(DateTimeOffset Until, TimeSpan Wait, string Why, bool Trying);
}
