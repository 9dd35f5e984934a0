using System.Text;
using System.Text.Unicode;

namespace Sallyport.Server.Identity.Import;

/// <summary>Rows of a CSV file (RFC 4180) whose first row names the columns. A row that is wrong costs itself alone.</summary>
internal sealed class CsvReader
{
    private const byte Quote = (byte)'"';

    private readonly Stream _stream;
    private readonly byte _delimiter;
    private readonly byte[] _buffer = new byte[ImportLimits.BufferBytes];
    private readonly byte[] _field = new byte[ImportLimits.FieldBytesMax];
    private readonly List<string> _row = [];
    private int _at;
    private int _end;
    private int _line = 1;
    private int _length;
    private string? _mistake;

    private CsvReader(Stream stream, char delimiter) => (_stream, _delimiter) = (stream, (byte)delimiter);

    /// <param name="wanted">Columns to keep, without regard to case.</param>
    /// <param name="needed">Columns that must be there.</param>
    public static IEnumerable<ImportRecord> Read(Stream stream, char delimiter, IEnumerable<string> wanted, IEnumerable<string> needed) =>
        new CsvReader(stream, delimiter).Read(wanted.ToHashSet(StringComparer.OrdinalIgnoreCase), [.. needed]);

    private IEnumerable<ImportRecord> Read(HashSet<string> wanted, List<string> needed)
    {
        if (!ReadRow())
        {
            yield return new ImportRecord.Refused(1, "the file is empty: its first row must name the columns");
            yield break;
        }

        if (CheckHeader(wanted, needed) is { } refused)
        {
            yield return new ImportRecord.Refused(1, refused);
            yield break;
        }

        var columns = _row.Select(name => name.Trim().ToLowerInvariant()).ToArray();
        for (var line = _line; ReadRow(); line = _line)
        {
            if (_row is [""] && _mistake is null)
            {
                continue; // an empty line
            }

            _mistake ??= _row.Count == columns.Length ? null : $"has {Count(_row.Count)}, the first row {columns.Length}";
            yield return _mistake is { } mistake ? new ImportRecord.Mistake(line, $"a row {mistake}")
                : new ImportRecord.Entry(line, $"row {line}", columns.Zip(_row).Where(pair => wanted.Contains(pair.First))
                    .ToDictionary(pair => pair.First, pair => new List<string> { pair.Second }, StringComparer.Ordinal));
        }
    }

    private static string Count(int columns) => $"{columns} column{(columns == 1 ? "" : "s")}";

    private string? CheckHeader(HashSet<string> wanted, List<string> needed)
    {
        var names = _row.Select(name => name.Trim()).ToList();
        return _mistake is { } mistake ? $"the first row {mistake}"
            : names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase)
                .FirstOrDefault(group => group.Count() > 1 && wanted.Contains(group.Key)) is { } twice
                ? $"two columns are called {twice.Key}"
            : needed.FirstOrDefault(name => !names.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } missing
                ? $"there is no column {missing}; the first row has {Shown(names)}" + (names.Count == 1 ? ": is it another --delimiter?" : "")
            : null;
    }

    private static string Shown(List<string> names) =>
        string.Join(", ", names.Take(20).Select(name => name.Length > 60 ? name[..60] + "…" : name)) + (names.Count > 20 ? ", …" : "");

    /// <summary>False at the end. What is wrong with the row is in <see cref="_mistake"/>; its end is found all the same.</summary>
    private bool ReadRow()
    {
        _row.Clear();
        _mistake = null;
        if (Peek() < 0)
        {
            return false;
        }

        while (true)
        {
            _length = 0;
            if (Peek() == Quote)
            {
                ReadQuoted();
            }

            var line = _line;
            var end = ReadPlain();
            EndField(line);
            if (end != _delimiter)
            {
                return true;
            }
        }
    }

    /// <summary>From one quote to the other; two within are one.</summary>
    private void ReadQuoted()
    {
        var openedIn = _line;
        for (Take(); ;)
        {
            var next = Take();
            if (next < 0)
            {
                _mistake ??= $"has a quote, opened in line {openedIn}, that is never closed";
                return;
            }

            if (next != Quote)
            {
                Keep((byte)next);
                continue;
            }

            if (Peek() != Quote)
            {
                _mistake ??= Peek() < 0 || Peek() == _delimiter || Peek() is '\r' or '\n' ? null
                    : $"has text behind a closing quote in line {_line}";
                return;
            }

            Take();
            Keep(Quote);
        }
    }

    /// <summary>Up to the delimiter or the end of the line, which is taken; -1 at the end of the file.</summary>
    private int ReadPlain()
    {
        while (true)
        {
            var next = Take();
            if (next < 0 || next == _delimiter || next == '\n')
            {
                return next;
            }

            if (next == '\r' && Peek() is '\n' or < 0)
            {
                Take();
                return '\n';
            }

            _mistake ??= next == Quote ? $"has a quote within a field without quotes, in line {_line}" : null;
            Keep((byte)next);
        }
    }

    private void EndField(int line)
    {
        if (_row.Count >= ImportLimits.ColumnsMax)
        {
            _mistake ??= $"has more than {ImportLimits.ColumnsMax} columns";
            return;
        }

        var octets = _field.AsSpan(0, Math.Min(_length, _field.Length));
        _mistake ??= _length > _field.Length ? $"has a field of more than {ImportLimits.FieldBytesMax / 1024} KiB, which ends in line {line}"
            : !Utf8.IsValid(octets) || octets.Contains((byte)0) ? $"has a field that is not UTF-8 text, which ends in line {line}" : null;
        _row.Add(_mistake is null ? Encoding.UTF8.GetString(octets) : "?");
    }

    private void Keep(byte octet)
    {
        if (_length < _field.Length)
        {
            _field[_length] = octet;
        }

        _length++;
    }

    private int Peek() => _at < _end || Fill() ? _buffer[_at] : -1;

    private int Take()
    {
        var next = Peek();
        if (next >= 0)
        {
            _at++;
            _line += next == '\n' ? 1 : 0;
        }

        return next;
    }

    private bool Fill()
    {
        var first = _end == 0 && _line == 1;
        (_at, _end) = (0, _stream.Read(_buffer));
        if (first && _end > 0)
        {
            _at = _buffer.AsSpan(0, _end) is [0xEF, 0xBB, 0xBF, ..] ? 3 : 0; // a byte order mark
            _mistake = _buffer.AsSpan(0, _end) is [0xFE, 0xFF, ..] or [0xFF, 0xFE, ..] ? "is UTF-16; save the file as UTF-8" : null;
        }

        return _at < _end;
    }
}
