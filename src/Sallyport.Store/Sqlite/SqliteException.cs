namespace Sallyport.Store.Sqlite;

/// <summary>SQLite refused. Inside this folder only: what leaves it is a <see cref="StoreException"/> or a result.</summary>
/// <param name="code">Primary result code (sqlite.org/rescode.html).</param>
internal sealed class SqliteException(int code, string message) : Exception($"SQLite error {code}: {message}")
{
    private const int Full = 13;
    private const int TooBig = 18;
    private const int Constraint = 19;

    public int Code => code;

    /// <summary>The disk or the file has no room: the transaction is rolled back, and later ones may fit.</summary>
    public bool IsFull => code == Full;

    /// <summary>A fault of the values, not of the disk: a key that exists already, a value too large.</summary>
    public bool IsOfTheItem => code is TooBig or Constraint;
}
