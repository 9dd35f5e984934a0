using System.Buffers;
using Sallyport.Mail.Smtp;

namespace Sallyport.Mail.Content;

/// <summary>
/// Takes decoded content (CRLF newlines only) as it streams by and keeps its header block, up to
/// <see cref="SmtpLimits.HeaderBytes"/>; what follows the empty line is the body's.
/// </summary>
public sealed class HeaderCollector(SmtpLimits limits)
{
    private const int EmptyLine = 2;
    private const int EndOfHeader = 4;

    private readonly ArrayBufferWriter<byte> _header = new(1024);

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

        var length = HeaderLength(content);
        var ends = length >= 0;
        consumed = ends ? length : content.Length;
        if (_header.WrittenCount + consumed > limits.HeaderBytes + EmptyLine)
        {
            Refuse();
            return true;
        }

        _header.Write(content[..consumed]);
        if (ends)
        {
            Header = _header.WrittenMemory[..^EmptyLine];
            IsComplete = true;
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

    /// <summary>Octets of the content up to and with the empty line; -1 when that is still to come. Each octet is looked at once.</summary>
    private int HeaderLength(ReadOnlySpan<byte> content)
    {
        // The empty line may have begun in what came before: its last three octets and the next three are looked at together.
        Span<byte> seam = stackalloc byte[2 * (EndOfHeader - 1)];
        var before = _header.WrittenSpan[Math.Max(0, _header.WrittenCount - (EndOfHeader - 1))..];
        before.CopyTo(seam);
        var after = content[..Math.Min(content.Length, EndOfHeader - 1)];
        after.CopyTo(seam[before.Length..]);
        seam = seam[..(before.Length + after.Length)];
        if (_header.WrittenCount <= before.Length && seam.StartsWith("\r\n"u8))
        {
            return EmptyLine - before.Length; // no field at all
        }

        var found = seam.IndexOf("\r\n\r\n"u8);
        if (found >= 0)
        {
            return found + EndOfHeader - before.Length;
        }

        found = content.IndexOf("\r\n\r\n"u8);
        return found < 0 ? -1 : found + EndOfHeader;
    }
}
