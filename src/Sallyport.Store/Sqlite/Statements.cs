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

    public void Begin() => Run("BEGIN IMMEDIATE");

    public void Commit() => Run("COMMIT");

    public void RollBack() => Run("ROLLBACK");

    /// <summary>Runs a statement with parameters ?1, ?2… Returns the number of rows changed.</summary>
    public int Run(string sql, params ReadOnlySpan<Value> values)
    {
        using var rows = Query(sql, values);
        while (rows.Read())
        {
        }

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
        var statement = Prepare(sql);
        try
        {
            statement.Bind(values);
        }
        catch
        {
            statement.Reset();
            throw;
        }

        return new Row(statement);
    }

    public long? FindMessage(QueueId id) => Number("SELECT id FROM message WHERE queue_id = ?1", id.ToString());

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
