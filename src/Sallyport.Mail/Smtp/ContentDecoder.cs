using System.Buffers;
using System.Text;

namespace Sallyport.Mail.Smtp;

/// <summary>
/// Turns content as it arrives into content as it is kept: every newline CRLF, dot-stuffing undone where DATA asks for it.
/// Fed in pieces of any size; the result does not depend on where the pieces were cut.
/// </summary>
public abstract class ContentDecoder(SmtpLimits limits)
{
    private int _line = 1;
    private int _lineBytes;

    public ContentFacts Facts { get; } = new();

    /// <summary>True once the limit on the size is passed: octets are still followed, but no longer put out.</summary>
    public bool IsOverLimit => Facts.Bytes > limits.MessageBytes;

    protected bool AtLineStart => _lineBytes == 0;

    /// <summary>Puts out text that has no CR or LF in it.</summary>
    protected void Text(ReadOnlySpan<byte> text, IBufferWriter<byte> output)
    {
        _lineBytes += text.Length;
        if (!Facts.EightBit && !Ascii.IsValid(text))
        {
            Facts.EightBit = true;
        }

        if (!Facts.Nul && text.Contains((byte)0))
        {
            Facts.Nul = true;
        }

        Put(text, output);
    }

    protected void Newline(IBufferWriter<byte> output, bool bare)
    {
        Facts.BareNewline |= bare;
        EndLine();
        Put("\r\n"u8, output);
    }

    /// <summary>Judges the last line too, which may have no end.</summary>
    protected void EndLine()
    {
        if (_lineBytes > limits.ContentLineBytes && Facts.OverlongLine == 0)
        {
            Facts.OverlongLine = _line;
            Facts.OverlongLineBytes = _lineBytes;
        }

        _line++;
        _lineBytes = 0;
    }

    private void Put(ReadOnlySpan<byte> octets, IBufferWriter<byte> output)
    {
        Facts.Bytes += octets.Length;
        if (!IsOverLimit)
        {
            output.Write(octets);
        }
    }
}
