using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;

namespace Sallyport.Server.Identity.Directories.Ldap;

internal enum LdapPurpose
{
    /// <summary>Bound as who searches, and kept so.</summary>
    Searching,

    /// <summary>Bound as whoever logged in last.</summary>
    Binding,
}

/// <summary>
/// Connections to the servers of one directory: kept for the next question, opened anew when stale, the next server's when one fails.
/// </summary>
internal sealed class LdapClient : IDisposable
{
    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(60);

    private readonly LdapDirectoryOptions _options;
    private readonly TimeProvider _time;
    private readonly LdapServers _servers;
    private readonly Lock _gate = new();
    private readonly List<LdapLink>[] _kept = [[], []];
    private readonly ITimer _sweep;
    private bool _closed;

    public LdapClient(LdapDirectoryOptions options, TimeProvider time, Action<string> notice)
    {
        _options = options;
        _time = time;
        _servers = new LdapServers(options.Servers, options.Timeout, time, notice);
        _sweep = time.CreateTimer(static client => ((LdapClient)client!).CloseIdle(), this, IdleMax / 2, IdleMax / 2);
    }

    /// <summary>
    /// Uses a connection: a kept one, else a new one to the first server that is up. When a kept one turns out stale, or a server
    /// fails, the use is begun again with the next.
    /// </summary>
    /// <exception cref="LdapServerException">No server could be used.</exception>
    public T Use<T>(LdapPurpose purpose, LdapQuestion question, Func<LdapLink, LdapDeadline, T> use)
    {
        var order = _servers.Order();
        for (var i = 0; i < order.Length; i++)
        {
            var deadline = i < order.Length - 1 ? question.Deadline.Share(0.5) : question.Deadline;
            try
            {
                while (TakeKept(purpose, order[i]) is { } link)
                {
                    if (TryUse(purpose, link, deadline, use, out var answer))
                    {
                        return answer;
                    }
                }

                return UseNew(purpose, order[i], question, deadline, use);
            }
            catch (LdapServerException exception) when (exception.IsServer)
            {
                _servers.Failed(order[i], exception.Message);
                question.Tell($"server {order[i]}", "unavailable", exception.Message);
            }
        }

        throw new LdapServerException(_servers.Errors());
    }

    /// <summary>A new connection to one server, bound as the purpose wants it: to see whether it can be had.</summary>
    /// <exception cref="LdapServerException">It cannot.</exception>
    public LdapLink Open(LdapPurpose purpose, LdapServerAddress server, LdapDeadline deadline)
    {
        var link = LdapLink.Open(server, _options, deadline);
        try
        {
            if (purpose == LdapPurpose.Searching && _options.BindDn is { } who)
            {
                BindAsSearcher(link, who, deadline);
            }

            return link;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        List<LdapLink> kept;
        lock (_gate)
        {
            _closed = true;
            kept = [.. _kept[0], .. _kept[1]];
            _kept[0].Clear();
            _kept[1].Clear();
        }

        _sweep.Dispose();
        kept.ForEach(link => link.Dispose());
    }

    private void BindAsSearcher(LdapLink link, string who, LdapDeadline deadline)
    {
        var verdict = link.Bind(who, _options.Password ?? throw new LdapServerException("bind_dn has no password", isServer: false), deadline);
        if (verdict.Reason != LoginReason.None)
        {
            throw new LdapServerException(
                $"{who} may not search: {verdict.Detail}; check bind_dn and its password", verdict.IsServer);
        }
    }

    /// <summary>False when the connection was lost while nobody used it.</summary>
    private bool TryUse<T>(LdapPurpose purpose, LdapLink link, LdapDeadline deadline, Func<LdapLink, LdapDeadline, T> use, out T answer)
    {
        try
        {
            answer = use(link, deadline);
            Keep(purpose, link);
            return true;
        }
        catch (LdapServerException exception)
        {
            link.Dispose();
            if (!exception.IsServer || deadline.Left == TimeSpan.Zero)
            {
                throw;
            }

            answer = default!;
            return false;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    private T UseNew<T>(
        LdapPurpose purpose, LdapServerAddress server, LdapQuestion question, LdapDeadline deadline, Func<LdapLink, LdapDeadline, T> use)
    {
        var link = Open(purpose, server, deadline);
        try
        {
            var tls = server.ImplicitTls ? "TLS" : _options.StartTls ? "StartTLS" : "no TLS, loopback";
            var who = purpose == LdapPurpose.Binding ? "" : _options.BindDn is { } bound ? $"; searching as {bound}" : "; searching as nobody";
            question.Tell($"server {server}", "ok", $"connected, {tls}{who}");
            var answer = use(link, deadline);
            _servers.Worked(server);
            Keep(purpose, link);
            return answer;
        }
        catch (LdapServerException exception) when (!exception.IsServer)
        {
            _servers.Worked(server);
            link.Dispose();
            throw;
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    private LdapLink? TakeKept(LdapPurpose purpose, LdapServerAddress server)
    {
        lock (_gate)
        {
            var kept = _kept[(int)purpose];
            var at = kept.FindLastIndex(link => link.Server == server);
            if (at < 0)
            {
                return null;
            }

            var link = kept[at];
            kept.RemoveAt(at);
            return link;
        }
    }

    private void Keep(LdapPurpose purpose, LdapLink link)
    {
        lock (_gate)
        {
            if (!_closed && _kept[(int)purpose].Count < _options.ConnectionsMax)
            {
                link.LastUsed = _time.GetTimestamp();
                _kept[(int)purpose].Add(link);
                return;
            }
        }

        link.Dispose();
    }

    private void CloseIdle()
    {
        List<LdapLink> idle = [];
        lock (_gate)
        {
            foreach (var kept in _kept)
            {
                idle.AddRange(kept.Where(link => _time.GetElapsedTime(link.LastUsed) > IdleMax));
                kept.RemoveAll(idle.Contains);
            }
        }

        idle.ForEach(link => link.Dispose());
    }
}
