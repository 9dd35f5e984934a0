using System.Buffers;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Content;

/// <summary>
/// Takes decoded content (CRLF newlines only) as it streams by and keeps its header block, up to
/// <see cref="SmtpLimits.HeaderBytes"/>; what follows the empty line is the body's.
/// </summary>
public sealed class HeaderCollector(SmtpLimits limits)
{
    private readonly ArrayBufferWriter<byte> _header = new(1024);
    private int _searched;

    /// <summary>True once the empty line was seen, or the limit was passed.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>552 when the header is too large; octets are no longer kept then.</summary>
    public Reply? Refusal { get; private set; }

    /// <summary>All fields with their CRLFs, without the empty line.</summary>
    public ReadOnlyMemory<byte> Header { get; private set; }

    /// <summary>Takes what belongs to the header. True when the header is complete; the body begins at <paramref name="consumed"/>.</summary>
    public bool Append(ReadOnlySpan<byte> content, out int consumed)
    {
        consumed = 0;
        if (IsComplete)
        {
            return true;
        }

        var before = _header.WrittenCount;
        _header.Write(content[..Math.Min(content.Length, limits.HeaderBytes + 2 - before)]);
        var end = FindEmptyLine(_header.WrittenSpan);
        if (end >= 0)
        {
            Header = _header.WrittenMemory[..end];
            consumed = end + 2 - before;
            IsComplete = true;
        }
        else if (_header.WrittenCount >= limits.HeaderBytes + 2) // room for the empty line, and it was none
        {
            Refuse();
            consumed = content.Length;
        }
        else
        {
            consumed = content.Length;
        }

        return IsComplete;
    }

    /// <summary>The content ended within the header: a message may have no body (RFC 5322 §3.5).</summary>
    public void Finish()
    {
        if (IsComplete)
        {
            return;
        }

        if (_header.WrittenCount > limits.HeaderBytes)
        {
            Refuse();
            return;
        }

        Header = _header.WrittenMemory;
        IsComplete = true;
    }

    private void Refuse()
    {
        Refusal = new Reply(552, new(5, 3, 4), string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"The header is larger than {limits.HeaderBytes} octets, the limit here"));
        IsComplete = true;
    }

    /// <summary>Where the empty line begins; -1 for not yet. Each octet is looked at once.</summary>
    private int FindEmptyLine(ReadOnlySpan<byte> header)
    {
        if (header.StartsWith("\r\n"u8))
        {
            return 0;
        }

        var found = header[_searched..].IndexOf("\r\n\r\n"u8);
        if (found >= 0)
        {
            return _searched + found + 2;
        }

        _searched = Math.Max(0, header.Length - 3);
        return -1;
    }
}
