using System.Buffers;

namespace Sallyport.Mail.Smtp;

public enum LineKind
{
    /// <summary>No end of line yet.</summary>
    Incomplete,

    Line,

    /// <summary>The line ended after more than the limit; its octets are gone.</summary>
    TooLong,

    /// <summary>Ended by LF alone; its octets are given all the same.</summary>
    BareLineFeed,

    /// <summary>The first octets of a protocol that has no lines; they are given, whatever else has arrived.</summary>
    Foreign,

    /// <summary>Far beyond the limit and still no end: not worth reading on.</summary>
    Endless,
}

/// <summary>Finds command lines in what has arrived. Holds nothing but a counter, however long a line is.</summary>
public sealed class LineFramer
{
    /// <summary>How much of one overlong line is read and thrown away before the connection is given up.</summary>
    public const int DiscardBytesMax = 1024 * 1024;

    private const int OpeningBytes = 2;

    private long _discarded;

    /// <param name="buffer">Cut down by what was taken.</param>
    /// <param name="limitBytes">Longest line, CRLF included.</param>
    /// <param name="line">Without its line end; empty unless one was found.</param>
    public LineKind TryRead(ref ReadOnlySequence<byte> buffer, int limitBytes, out ReadOnlySequence<byte> line)
    {
        line = default;
        if (_discarded == 0 && IsForeign(buffer))
        {
            line = buffer.Slice(0, OpeningBytes);
            buffer = buffer.Slice(buffer.End);
            return LineKind.Foreign;
        }

        if (buffer.PositionOf((byte)'\n') is not { } end)
        {
            if (_discarded > 0 || buffer.Length > limitBytes)
            {
                _discarded += buffer.Length;
                buffer = buffer.Slice(buffer.End);
            }

            return _discarded > DiscardBytesMax ? LineKind.Endless : LineKind.Incomplete;
        }

        var whole = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        if (_discarded > 0 || whole.Length + 1 > limitBytes)
        {
            _discarded = 0;
            return LineKind.TooLong;
        }

        if (whole.IsEmpty || LastOctet(whole) != '\r')
        {
            line = whole;
            return LineKind.BareLineFeed;
        }

        line = whole.Slice(0, whole.Length - 1);
        return LineKind.Line;
    }

    private static bool IsForeign(in ReadOnlySequence<byte> buffer)
    {
        if (buffer.Length < OpeningBytes)
        {
            return false;
        }

        Span<byte> opening = stackalloc byte[OpeningBytes];
        buffer.Slice(0, OpeningBytes).CopyTo(opening);
        return OtherProtocols.RecogniseBinary(opening) is not null;
    }

    private static byte LastOctet(in ReadOnlySequence<byte> octets) => octets.Slice(octets.Length - 1).FirstSpan[0];
}
