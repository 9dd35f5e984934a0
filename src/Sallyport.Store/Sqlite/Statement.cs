using System.Buffers;
using System.Text;
using SQLitePCL;

namespace Sallyport.Store.Sqlite;

/// <summary>One prepared statement. Parameters are bound by their place, from 1, and copied by SQLite.</summary>
internal sealed class Statement(Connection connection, sqlite3_stmt handle) : IDisposable
{
    private const int TextOnStackBytes = 512;

    public sqlite3_stmt Handle => handle;

    public static Statement Prepare(Connection connection, string sql)
    {
        if (sql.Contains('$', StringComparison.Ordinal))
        {
            throw new ArgumentException("parameters are ?1, ?2…: SQLite numbers named ones as they come", nameof(sql));
        }

#pragma warning disable CA2000 // the statement has it
        connection.Check(raw.sqlite3_prepare_v3(connection.Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle));
#pragma warning restore CA2000
        return new Statement(connection, handle);
    }

    public void Bind(ReadOnlySpan<Value> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            Bind(i + 1, in values[i]);
        }
    }

    /// <summary>True when there is a row.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        connection.Check(code);
        return false;
    }

    /// <summary>Runs it to its end, so that it may run again.</summary>
    public void Run()
    {
        try
        {
            while (Step())
            {
            }
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Ends it, so that it may run again; its read transaction ends too.</summary>
    public void Reset() => _ = raw.sqlite3_reset(handle); // says again what the last step has said

    public void Dispose() => handle.Dispose();

    /// <summary>Changes one parameter; the others stay.</summary>
    public void Bind(int place, in Value value) => connection.Check(value.Kind switch
    {
        ValueKind.Number => raw.sqlite3_bind_int64(handle, place, value.Number),
        ValueKind.Text => BindText(place, value.Text!),
        ValueKind.Octets when value.Octets.IsEmpty => raw.sqlite3_bind_zeroblob(handle, place, 0), // an empty span would be NULL
        ValueKind.Octets => raw.sqlite3_bind_blob(handle, place, value.Octets.Span),
        _ => raw.sqlite3_bind_null(handle, place),
    });

    private int BindText(int place, string text)
    {
        if (text.Length == 0)
        {
            return raw.sqlite3_bind_text(handle, place, utf8z.FromSpan("\0"u8)); // an empty span would be NULL
        }

        var bytesMax = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (bytesMax <= TextOnStackBytes)
        {
            Span<byte> small = stackalloc byte[TextOnStackBytes];
            return raw.sqlite3_bind_text(handle, place, small[..Encoding.UTF8.GetBytes(text, small)]);
        }

        var large = ArrayPool<byte>.Shared.Rent(bytesMax);
        try
        {
            return raw.sqlite3_bind_text(handle, place, large.AsSpan(0, Encoding.UTF8.GetBytes(text, large)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(large);
        }
    }
}

/// <summary>The rows of a query, one at a time. To be disposed before the statement runs again.</summary>
internal readonly ref struct Row(Statement statement)
{
    public bool Read() => statement.Step();

    public bool IsNull(int column) => raw.sqlite3_column_type(statement.Handle, column) == raw.SQLITE_NULL;

    public long GetInt64(int column) => raw.sqlite3_column_int64(statement.Handle, column);

    public int GetInt32(int column) => checked((int)GetInt64(column));

    public bool GetBoolean(int column) => GetInt64(column) != 0;

    public string GetString(int column) => raw.sqlite3_column_text(statement.Handle, column).utf8_to_string() ?? "";

    /// <summary>Null where the column is.</summary>
    public string? FindString(int column) => IsNull(column) ? null : GetString(column);

    /// <summary>A copy: the octets of a row are gone with it.</summary>
    public byte[] GetOctets(int column) => raw.sqlite3_column_blob(statement.Handle, column).ToArray();

    public void Dispose() => statement.Reset();
}
