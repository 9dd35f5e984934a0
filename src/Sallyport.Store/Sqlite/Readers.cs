using System.Collections.Concurrent;

namespace Sallyport.Store.Sqlite;

/// <summary>A bounded set of connections that only read. WAL lets them read while the writer writes.</summary>
internal sealed class Readers(string file, int connectionsMax, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);

    private readonly ConcurrentBag<Statements> _idle = [];
    private readonly ConcurrentBag<Connection> _all = [];
    private readonly SemaphoreSlim _places = new(connectionsMax);

    /// <summary>Runs one short read; no transaction stays open behind it.</summary>
    /// <exception cref="StoreException">All connections were busy for too long.</exception>
    public async ValueTask<T> ReadAsync<T>(Func<Statements, T> read, CancellationToken cancel)
    {
        await EnterAsync(cancel);
        try
        {
            var statements = _idle.TryTake(out var idle) ? idle : Open();
            try
            {
                return read(statements);
            }
            finally
            {
                _idle.Add(statements);
            }
        }
        finally
        {
            _places.Release();
        }
    }

    private async ValueTask EnterAsync(CancellationToken cancel)
    {
        if (_places.Wait(0, CancellationToken.None))
        {
            return;
        }

        using var limit = new CancellationTokenSource(WaitMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        try
        {
            await _places.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new StoreException("the store is too busy to be read");
        }
    }

    private Statements Open()
    {
        var connection = Database.OpenReader(file);
        _all.Add(connection);
        return new Statements(connection);
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
