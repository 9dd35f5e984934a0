using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Sallyport.Store.Sqlite;

/// <summary>A bounded set of connections that only read. WAL lets them read while the writer writes.</summary>
internal sealed class Readers(string file, int connectionsMax) : IDisposable
{
    private readonly ConcurrentBag<Statements> _idle = [];
    private readonly ConcurrentBag<SqliteConnection> _all = [];
    private readonly SemaphoreSlim _places = new(connectionsMax);

    /// <summary>Runs one short read; no transaction stays open behind it.</summary>
    public async ValueTask<T> ReadAsync<T>(Func<Statements, T> read, CancellationToken cancel)
    {
        await _places.WaitAsync(cancel);
        if (!_idle.TryTake(out var statements))
        {
            var connection = Database.OpenReader(file);
            _all.Add(connection);
            statements = new Statements(connection);
        }

        try
        {
            return read(statements);
        }
        finally
        {
            _idle.Add(statements);
            _places.Release();
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var statements))
        {
            statements.Dispose();
        }

        while (_all.TryTake(out var connection))
        {
            connection.Dispose();
        }

        _places.Dispose();
    }
}
