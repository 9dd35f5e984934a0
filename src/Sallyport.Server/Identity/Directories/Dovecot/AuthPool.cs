using System.Collections.Immutable;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Directories.Servers;

namespace Sallyport.Server.Identity.Directories.Dovecot;

/// <summary>The connections to Dovecot, opened when they are needed, by turns; one that is lost is opened anew by the next login.</summary>
internal sealed class AuthPool : IAsyncDisposable
{
    private readonly DovecotDirectoryOptions _options;
    private readonly ImmutableArray<ServerAddress> _all;
    private readonly AuthSocket _kind;
    private readonly TimeProvider _time;
    private readonly ServerConnector _connector;
    private readonly ServerOrder<ServerAddress> _servers;
    private readonly Lock _gate = new();
    private readonly Task<(ServerAddress Server, AuthConnection Connection)>?[] _slots;
    private readonly AuthConnection?[] _open;
    private readonly CancellationTokenSource _closing = new();
    private uint _turn;

    public AuthPool(DovecotDirectoryOptions options, AuthSocket kind, TimeProvider time)
    {
        (_options, _time) = (options, time);
        (_kind, _all) = (kind, kind == AuthSocket.Client ? options.Servers : options.UserServers);
        _connector = new ServerConnector(options.Trust);
        _servers = new ServerOrder<ServerAddress>(_all, time);
        _slots = new Task<(ServerAddress, AuthConnection)>?[options.ConnectionsMax];
        _open = new AuthConnection?[options.ConnectionsMax];
        _ = Slot(0); // so that its mechanisms are known before the first login
    }

    /// <summary>As the server listed them when it was last heard.</summary>
    public IReadOnlySet<string> Mechanisms { get; private set; } = ImmutableHashSet<string>.Empty;

    /// <exception cref="DirectoryServerException">No server can be reached.</exception>
    public Task<(ServerAddress Server, AuthConnection Connection)> GetAsync(CancellationToken cancel) =>
        Slot((int)(Interlocked.Increment(ref _turn) % (uint)_slots.Length)).WaitAsync(cancel);

    public async ValueTask<ImmutableArray<DirectoryStep>> TryAsync(CancellationToken cancel)
    {
        var found = new List<DirectoryStep>();
        foreach (var server in _all)
        {
            try
            {
                await using var connection = await OpenAsync(server, cancel);
                found.Add(new($"dovecot {server}", "ok", _kind == AuthSocket.Users ? "answers who exists"
                    : $"answers; it offers {string.Join(' ', connection.Mechanisms)}"));
            }
            catch (Exception exception) when (!cancel.IsCancellationRequested)
            {
                found.Add(new($"dovecot {server}", "failed", WaitLimit.Why(exception, _options.ConnectTimeout)));
            }
        }

        return [.. found];
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        Task[] opening;
        lock (_gate)
        {
            opening = [.. _slots.OfType<Task>()];
        }

        await Task.WhenAll(opening).ContinueWith(static _ => { }, TaskScheduler.Default);
        foreach (var connection in _open.OfType<AuthConnection>())
        {
            await connection.DisposeAsync();
        }

        _closing.Dispose();
    }

    /// <summary>The connection of a slot, or its opening, which all who come meanwhile wait for.</summary>
    private Task<(ServerAddress Server, AuthConnection Connection)> Slot(int slot)
    {
        lock (_gate)
        {
            var now = _slots[slot];
            if (now is null || (now.IsCompleted && _open[slot] is not { IsUsable: true }))
            {
                _ = _open[slot]?.DisposeAsync().AsTask();
                _open[slot] = null;
                _slots[slot] = now = Task.Run(() => OpenAnyAsync(slot));
            }

            return now;
        }
    }

    private async Task<(ServerAddress Server, AuthConnection Connection)> OpenAnyAsync(int slot)
    {
        var troubles = new List<string>();
        foreach (var server in _servers.Now())
        {
            try
            {
                var connection = await OpenAsync(server, _closing.Token);
                _servers.Succeeded(server);
                Mechanisms = connection.Mechanisms;
                lock (_gate)
                {
                    _open[slot] = connection;
                }

                return (server, connection);
            }
            catch (Exception exception) when (!_closing.IsCancellationRequested)
            {
                _servers.Failed(server);
                troubles.Add($"{server}: {WaitLimit.Why(exception, _options.ConnectTimeout)}");
            }
        }

        throw new DirectoryServerException(string.Join("; ", troubles));
    }

    private async Task<AuthConnection> OpenAsync(ServerAddress server, CancellationToken cancel)
    {
        using var limit = new WaitLimit(_options.ConnectTimeout, _time, cancel);
#pragma warning disable CA2000 // the connection's, also when it fails
        return await AuthConnection.OpenAsync(await _connector.OpenAsync(server, limit.Token), _kind, limit.Token);
#pragma warning restore CA2000
    }
}
