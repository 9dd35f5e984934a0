using SQLitePCL;
using Sallyport.Mail.Smtp;

namespace Sallyport.Store.Sqlite;

/// <summary>The prepared statements of one connection, each prepared when it is first run. Used by one thread at a time.</summary>
internal sealed class Statements(Connection connection) : IDisposable
{
    private readonly Dictionary<string, Statement> _prepared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _sites = new(StringComparer.Ordinal);
    private string _lastSql = "";
    private Statement? _last;
    private long _liveClaim;

    /// <summary>What the transaction under way changes in the totals.</summary>
    public Tally Tally { get; } = new();

    public void Begin()
    {
        Tally.Clear();
        ForgetClaim();
        Run("BEGIN IMMEDIATE");
    }

    public void Commit() => Run("COMMIT");

    public void RollBack() => Run("ROLLBACK");

    /// <summary>Before the commit, and before the totals are read in the transaction that changes them.</summary>
    public void WriteTotals() => Tally.Write(this);

    /// <summary>Has this node's lease not been taken from it? Asked once in a transaction.</summary>
    public bool IsLive(ClaimToken claim)
    {
        if (claim.Value != _liveClaim && Exists("SELECT 1 FROM node WHERE claim = ?1", claim.Value))
        {
            _liveClaim = claim.Value;
        }

        return claim.Value == _liveClaim && _liveClaim > 0;
    }

    public void ForgetClaim() => _liveClaim = 0;

    /// <summary>Runs a statement with parameters ?1, ?2… Returns the number of rows changed.</summary>
    public int Run(string sql, params ReadOnlySpan<Value> values)
    {
        Bound(sql, values).Run();
        return raw.sqlite3_changes(connection.Handle);
    }

    /// <summary>Runs an INSERT. Returns the new row's number.</summary>
    public long Insert(string sql, params ReadOnlySpan<Value> values)
    {
        Run(sql, values);
        return raw.sqlite3_last_insert_rowid(connection.Handle);
    }

    /// <summary>The first column of the first row; null when there is none or it is NULL.</summary>
    public long? Number(string sql, params ReadOnlySpan<Value> values)
    {
        using var row = Query(sql, values);
        return row.Read() && !row.IsNull(0) ? row.GetInt64(0) : null;
    }

    /// <summary>The first column of the first row; null when there is no row.</summary>
    public byte[]? Octets(string sql, params ReadOnlySpan<Value> values)
    {
        using var row = Query(sql, values);
        return row.Read() ? row.GetOctets(0) : null;
    }

    public bool Exists(string sql, params ReadOnlySpan<Value> values)
    {
        using var row = Query(sql, values);
        return row.Read();
    }

    /// <summary>Dispose the rows before this statement runs again.</summary>
    public Row Query(string sql, params ReadOnlySpan<Value> values)
    {
        return new Row(Bound(sql, values));
    }

    public MessageRow? FindMessage(QueueId id)
    {
        using var row = Query("SELECT id, site, content_bytes, chunks FROM message WHERE queue_id = ?1", id.ToString());
        return row.Read() ? new(row.GetInt64(0), id, row.GetInt64(1), row.GetInt64(2), row.GetInt32(3)) : null;
    }

    public MessageRow? FindMessage(long message)
    {
        using var row = Query("SELECT queue_id, site, content_bytes, chunks FROM message WHERE id = ?1", message);
        if (!row.Read())
        {
            return null;
        }

        _ = QueueId.TryParse(row.GetString(0), out var id);
        return new(message, id, row.GetInt64(1), row.GetInt64(2), row.GetInt32(3));
    }

    /// <summary>A statement with all its parameters, to be run again and again with some of them changed.</summary>
    public Statement Bound(string sql, params ReadOnlySpan<Value> values)
    {
        var statement = Prepare(sql);
        statement.Bind(values);
        return statement;
    }

    /// <summary>The number of a site; 0, which no row has, for one that nothing was written for yet.</summary>
    public long FindSite(string name)
    {
        if (!_sites.TryGetValue(name, out var number) && Number("SELECT id FROM site WHERE name = ?1", name) is { } found)
        {
            _sites.Add(name, number = found);
        }

        return number;
    }

    /// <summary>The number of a site, given to it now when it is new. Only where one may write.</summary>
    public long SiteNumber(string name)
    {
        if (FindSite(name) is > 0 and var known)
        {
            return known;
        }

        return _sites[name] = Insert("INSERT INTO site (name) VALUES (?1)", name);
    }

    /// <summary>The name of a site that has rows.</summary>
    public string SiteName(long number)
    {
        foreach (var (name, known) in _sites)
        {
            if (known == number)
            {
                return name;
            }
        }

        using var row = Query("SELECT name FROM site WHERE id = ?1", number);
        if (!row.Read())
        {
            return ""; // a row of a site that is not there is damage: it belongs to none
        }

        var found = row.GetString(0);
        _sites[found] = number;
        return found;
    }

    /// <summary>A site made in what is rolled back has no number any more.</summary>
    public void ForgetSites() => _sites.Clear();

    public void Dispose()
    {
        foreach (var statement in _prepared.Values)
        {
            statement.Dispose();
        }
    }

    private Statement Prepare(string sql)
    {
        if (ReferenceEquals(sql, _lastSql))
        {
            return _last!;
        }

        if (!_prepared.TryGetValue(sql, out var statement))
        {
            _prepared.Add(sql, statement = Statement.Prepare(connection, sql));
        }

        (_lastSql, _last) = (sql, statement);
        return statement;
    }
}

/// <summary>Where a message lies, without its content.</summary>
internal readonly record struct MessageRow(long Row, QueueId Id, long Site, long ContentBytes, int Chunks);
