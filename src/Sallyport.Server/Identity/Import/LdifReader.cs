using System.Text;
using System.Text.Unicode;
using Sallyport.Mail.Sasl;

namespace Sallyport.Server.Identity.Import;

/// <summary>
/// Entries of an LDIF file (RFC 2849): folded lines, base64, comments. Changes are refused, and no URL is followed: what is not wanted
/// is passed over unread.
/// </summary>
internal sealed class LdifReader
{
    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    private readonly LineSource _lines;
    private readonly HashSet<string> _wanted;
    private readonly byte[] _field = new byte[ImportLimits.FieldBytesMax];
    private readonly Dictionary<string, List<string>> _values = [];
    private int _length;
    private int _line;
    private bool _isCut;
    private bool _hasField;
    private int _beganAt;
    private string? _name;
    private int _kept;
    private string? _mistake;
    private string? _refused;

    private LdifReader(Stream stream, IEnumerable<string> wanted)
    {
        _lines = new LineSource(stream);
        _wanted = wanted.ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <param name="wanted">Names of the attributes to keep.</param>
    public static IEnumerable<ImportRecord> Read(Stream stream, IEnumerable<string> wanted) => new LdifReader(stream, wanted).Read();

    private IEnumerable<ImportRecord> Read()
    {
        while (_lines.Next())
        {
            TakeLine();
            if (_refused is { } refused)
            {
                yield return new ImportRecord.Refused(_line, refused);
                yield break;
            }

            if (!_hasField && TakeRecord() is { } record)
            {
                yield return record;
            }
        }

        TakeField();
        if (_refused is { } last)
        {
            yield return new ImportRecord.Refused(_line, last);
        }
        else if (TakeRecord() is { } record)
        {
            yield return record;
        }
    }

    /// <summary>A line of the file: goes on with a field, or ends the one before it.</summary>
    private void TakeLine()
    {
        var line = _lines.Line;
        if (_lines.Number == 1)
        {
            if (line is [0xFE, 0xFF, ..] or [0xFF, 0xFE, ..])
            {
                (_line, _refused) = (1, "the file is UTF-16; save it as UTF-8");
                return;
            }

            line = line.StartsWith(Utf8Mark) ? line[Utf8Mark.Length..] : line;
        }

        if (line is [(byte)' ', ..] && _hasField)
        {
            Append(line[1..]);
            return;
        }

        TakeField();
        if (!line.IsEmpty && _refused is null)
        {
            (_hasField, _length, _isCut, _line) = (true, 0, false, _lines.Number);
            Append(line);
        }
    }

    private void Append(ReadOnlySpan<byte> octets)
    {
        var room = Math.Min(octets.Length, _field.Length - _length);
        octets[..room].CopyTo(_field.AsSpan(_length));
        _length += room;
        _isCut |= _lines.IsCut || room < octets.Length;
    }

    /// <summary>A whole field, unfolded.</summary>
    private void TakeField()
    {
        if (!_hasField)
        {
            return;
        }

        _hasField = false;
        ReadOnlySpan<byte> field = _field.AsSpan(0, _length);
        if (field[0] == '#')
        {
            return;
        }

        var colon = field.IndexOf((byte)':');
        if (colon <= 0 || field[0] == ' ')
        {
            _beganAt = _beganAt == 0 ? _line : _beganAt;
            Mistake("is not \"name: value\"");
            return;
        }

        var name = Encoding.Latin1.GetString(field[..colon]);
        var options = name.IndexOf(';', StringComparison.Ordinal);
        name = (options < 0 ? name : name[..options]).Trim().ToLowerInvariant();
        if (_beganAt == 0 && name == "version")
        {
            _refused = Encoding.Latin1.GetString(field[(colon + 1)..]).Trim() == "1" ? null : "LDIF of a version that is not 1";
            return;
        }

        _beganAt = _beganAt == 0 ? _line : _beganAt;
        if (name is "changetype" or "control")
        {
            _refused = "the file has changes (changetype), not entries: export the entries themselves, as slapcat and ldapsearch do";
        }
        else if (name == "dn" || _wanted.Contains(name))
        {
            TakeValue(name, field[(colon + 1)..]);
        }
    }

    private void TakeValue(string name, ReadOnlySpan<byte> value)
    {
        if (_isCut)
        {
            Mistake($"{name} is longer than {ImportLimits.FieldBytesMax / 1024} KiB");
        }
        else if (value is [(byte)'<', ..])
        {
            Mistake($"{name} is a URL, and none is followed: export the value itself");
        }
        else if (Decode(value) is not { } octets)
        {
            Mistake($"{name} is not base64");
        }
        else if (!Utf8.IsValid(octets) || octets.AsSpan().Contains((byte)0))
        {
            Mistake($"{name} is not UTF-8 text");
        }
        else if (name == "dn")
        {
            _name ??= Encoding.UTF8.GetString(octets);
        }
        else if (++_kept > ImportLimits.ValuesMax)
        {
            Mistake($"the entry has more than {ImportLimits.ValuesMax} values");
        }
        else
        {
            var values = _values.TryGetValue(name, out var some) ? some : _values[name] = [];
            values.Add(Encoding.UTF8.GetString(octets));
        }
    }

    private static byte[]? Decode(ReadOnlySpan<byte> value) => value is [(byte)':', .. var coded]
        ? SaslServer.DecodeBase64(coded.Trim((byte)' ').ToArray())
        : value.TrimStart((byte)' ').ToArray();

    private void Mistake(string why) => _mistake ??= $"line {_line}: {why}";

    private ImportRecord? TakeRecord()
    {
        if (_beganAt == 0)
        {
            return null;
        }

        ImportRecord record = _mistake is { } mistake ? new ImportRecord.Mistake(_beganAt, $"{_name ?? "an entry"}: {mistake}")
            : _name is null ? new ImportRecord.Mistake(_beganAt, "an entry without a dn")
            : new ImportRecord.Entry(_beganAt, _name, new Dictionary<string, List<string>>(_values));
        _values.Clear();
        (_beganAt, _name, _mistake, _kept) = (0, null, null, 0);
        return record;
    }
}
