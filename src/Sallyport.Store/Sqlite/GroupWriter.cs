
namespace Sallyport.Store.Sqlite;

/// <summary>A change that waits for the next transaction.</summary>
internal abstract class WriteItem
{
    /// <summary>Runs the statements. May run a second time, after a roll-back.</summary>
    public abstract void Apply(Statements statements);

    /// <summary>The transaction is on stable storage.</summary>
    public abstract void Complete();

    public abstract void Fail(Exception exception);

    public abstract bool HasFailed { get; }
}

internal sealed class WriteItem<T>(Func<Statements, T> apply) : WriteItem
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Done => _done.Task;

    public override void Apply(Statements statements) => _result = apply(statements);

    public override bool HasFailed => _done.Task.IsFaulted;

    public override void Complete() => _done.TrySetResult(_result);

    public override void Fail(Exception exception) => _done.TrySetException(exception);
}

/// <summary>
/// Group commit: one thread owns the one connection that writes; it takes all that waits, commits once, completes them all.
/// What waits is bounded by who waits: each session, reader and relay worker has at most one item here.
/// </summary>
internal sealed class GroupWriter : IDisposable
{
    private const string Mark = "SAVEPOINT item";
    private const string Undo = "ROLLBACK TO item";
    private const string Unmark = "RELEASE item";

    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _arrived = new(false);
    private readonly Connection _connection;
    private readonly Statements _statements;
    private readonly SqliteStoreOptions _options;
    private readonly Thread _thread;
    private readonly FreePages _free;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<WriteItem> _waiting = [];
    private bool _stopping;
    private StoreException? _failure;

    public GroupWriter(Connection connection, SqliteStoreOptions options, DiskRoom room)
    {
        _connection = connection;
        _options = options;
        _statements = new Statements(connection);
        _free = new FreePages(_statements, room, options.FreePagesKept);
        _thread = new Thread(Run) { IsBackground = true, Name = "store writer" };
        _thread.Start();
    }

    public Task Failed => _failed.Task;

    /// <param name="first">Before all that waits: to take something back before another can have it.</param>
    public Task<T> Enqueue<T>(Func<Statements, T> apply, bool first = false)
    {
        var item = new WriteItem<T>(apply);
        lock (_gate)
        {
            if (_failure is not null || _stopping)
            {
                return Task.FromException<T>(_failure ?? new StoreException("the store is closed"));
            }

            _waiting.Insert(first ? 0 : _waiting.Count, item);
        }

        _arrived.Set();
        return item.Done;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
        }

        _arrived.Set();
        _thread.Join();
        _statements.Dispose();
        _connection.Dispose();
        _arrived.Dispose();
    }

    private void Run()
    {
        while (Take() is { } batch)
        {
            for (var from = 0; from < batch.Count; from += _options.BatchItemsMax)
            {
                Commit(batch.Count <= _options.BatchItemsMax
                    ? batch
                    : batch.GetRange(from, Math.Min(_options.BatchItemsMax, batch.Count - from)));
            }

            TidyUp();
        }
    }

    /// <summary>While nothing waits, free pages beyond those worth keeping go back to the file system, a few at a time.</summary>
    private void TidyUp()
    {
        try
        {
            while (_failure is null && _free.Count() && !_arrived.IsSet)
            {
                _free.GiveBackSome();
            }
        }
        catch (SqliteException exception) when (exception.IsFull)
        {
            // The journal of the tidying has no room; mail comes first.
        }
        catch (SqliteException exception)
        {
            Fail([], exception);
        }
    }

    private List<WriteItem>? Take()
    {
        while (true)
        {
            _arrived.Wait();
            lock (_gate)
            {
                if (!_stopping)
                {
                    _arrived.Reset(); // once stopping it stays set: the call to stop came with the last items, or after them
                }

                if (_waiting.Count > 0)
                {
                    var batch = _waiting;
                    _waiting = [];
                    return batch;
                }

                if (_stopping)
                {
                    return null;
                }
            }
        }
    }

    private void Commit(List<WriteItem> batch)
    {
        if (_failure is not null)
        {
            batch.ForEach(item => item.Fail(_failure));
            return;
        }

        var done = batch;
        try
        {
            _statements.Begin();
            if (!TryApplyAll(batch))
            {
                _statements.RollBack();
                Forget();
                _statements.Begin();
                done = batch.FindAll(TryApply);
            }

            _statements.WriteTotals();
            _options.BeforeCommit();
            _statements.Commit();
        }
        catch (Exception exception)
        {
            Recover(batch, exception);
            return;
        }

        done.ForEach(item => item.Complete());
    }

    /// <summary>All items, without savepoints: they cost more than most items. False when one has a fault of its own.</summary>
    private bool TryApplyAll(List<WriteItem> batch)
    {
        try
        {
            batch.ForEach(item => item.Apply(_statements));
            return true;
        }
        catch (Exception exception) when (IsOfTheItem(exception))
        {
            return false;
        }
    }

    private static bool IsOfTheItem(Exception exception) => exception is not SqliteException { IsOfTheItem: false };

    /// <summary>
    /// Each item in its savepoint. A fault of the item itself costs it alone; one of the disk or the file is not the item's, and is
    /// thrown. An item that failed here is told at once: nothing of it is in the transaction.
    /// </summary>
    private bool TryApply(WriteItem item)
    {
        var totals = _statements.Tally.Save();
        _statements.Run(Mark);
        try
        {
            item.Apply(_statements);
        }
        catch (Exception exception) when (IsOfTheItem(exception))
        {
            _statements.Run(Undo);
            _statements.Run(Unmark);
            Forget();
            _statements.Tally.Restore(totals);
            item.Fail(exception);
            return false;
        }

        _statements.Run(Unmark);
        return true;
    }

    /// <summary>
    /// A full disk is rolled back, and each item tried alone so that one that is too large does not cost the others.
    /// Anything else may mean that a flush failed, after which nobody knows what is on disk: that is final (fsync is not retried).
    /// </summary>
    private void Recover(List<WriteItem> batch, Exception exception)
    {
        if (exception is not SqliteException { IsFull: true } || !TryRollBack())
        {
            Fail(batch, exception);
        }
        else if (batch.Count == 1)
        {
            batch[0].Fail(exception);
        }
        else
        {
            batch.Where(item => !item.HasFailed).ToList().ForEach(item => Commit([item]));
        }
    }

    /// <summary>What was looked up in what is undone now may never have been there.</summary>
    private void Forget()
    {
        _statements.ForgetSites();
        _statements.ForgetClaim();
    }

    private bool TryRollBack()
    {
        Forget();
        try
        {
            // On a full disk SQLite may have rolled back by itself (sqlite.org/lang_transaction.html, "automatic rollback").
            if (!_connection.IsOutsideTransaction)
            {
                _statements.RollBack();
            }

            return true;
        }
        catch (SqliteException)
        {
            return false;
        }
    }

    private void Fail(List<WriteItem> batch, Exception exception)
    {
        lock (_gate)
        {
            _failure = new StoreException("the store failed and takes nothing more until a restart: " + exception.Message, exception);
        }

        _failed.TrySetResult();
        batch.ForEach(item => item.Fail(_failure));
    }
}
