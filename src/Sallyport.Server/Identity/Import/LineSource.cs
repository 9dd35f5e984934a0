namespace Sallyport.Server.Identity.Import;

/// <summary>Lines of a stream, ended by LF or CRLF; of a long one only the beginning is kept.</summary>
internal sealed class LineSource(Stream stream)
{
    private readonly byte[] _buffer = new byte[ImportLimits.BufferBytes];
    private readonly byte[] _line = new byte[ImportLimits.FieldBytesMax];
    private int _at;
    private int _end;
    private int _length;

    public int Number { get; private set; }

    /// <summary>More was there than is kept.</summary>
    public bool IsCut { get; private set; }

    public ReadOnlySpan<byte> Line => _line.AsSpan(0, _length);

    /// <summary>False at the end.</summary>
    public bool Next()
    {
        (_length, IsCut) = (0, false);
        var any = false;
        while (_at < _end || Fill())
        {
            any = true;
            var rest = _buffer.AsSpan(_at, _end - _at);
            var feed = rest.IndexOf((byte)'\n');
            Keep(feed < 0 ? rest : rest[..feed]);
            _at += feed < 0 ? rest.Length : feed + 1;
            if (feed >= 0)
            {
                break;
            }
        }

        if (_length > 0 && _line[_length - 1] == '\r' && !IsCut)
        {
            _length--;
        }

        Number += any ? 1 : 0;
        return any;
    }

    private bool Fill()
    {
        (_at, _end) = (0, stream.Read(_buffer));
        return _end > 0;
    }

    private void Keep(ReadOnlySpan<byte> octets)
    {
        var room = Math.Min(octets.Length, _line.Length - _length);
        octets[..room].CopyTo(_line.AsSpan(_length));
        _length += room;
        IsCut |= room < octets.Length;
    }
}
