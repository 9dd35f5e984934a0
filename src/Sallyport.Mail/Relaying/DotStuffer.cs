using System.Buffers;

namespace Sallyport.Mail.Relaying;

/// <summary>
/// Content as DATA wants it (RFC 5321 §4.5.2). It is the last door: a bare CR, a bare LF or a NUL cannot pass it, whatever the
/// store gave us, so that nobody behind us can read one message as two.
/// </summary>
public sealed class DotStuffer
{
    private bool _lineStart = true;
    private bool _cr;

    /// <exception cref="FormatException">The content has what mail cannot carry.</exception>
    public void Write(ReadOnlySpan<byte> content, IBufferWriter<byte> output)
    {
        if (content.Contains((byte)0))
        {
            throw new FormatException("the stored content has a NUL octet");
        }

        while (!content.IsEmpty)
        {
            if (_cr && content[0] != '\n')
            {
                throw new FormatException("the stored content has a bare CR");
            }

            if (_lineStart && content[0] == '.')
            {
                output.Write("."u8);
            }

            var end = content.IndexOf((byte)'\n');
            var line = end < 0 ? content : content[..(end + 1)];
            Check(line, end >= 0);
            output.Write(line);
            _lineStart = end >= 0;
            content = content[line.Length..];
        }
    }

    /// <summary>The end of the content, CRLF.CRLF.</summary>
    public void Finish(IBufferWriter<byte> output)
    {
        if (_cr)
        {
            throw new FormatException("the stored content has a bare CR");
        }

        output.Write(_lineStart ? ".\r\n"u8 : "\r\n.\r\n"u8);
    }

    private void Check(ReadOnlySpan<byte> line, bool ended)
    {
        var cr = line.IndexOf((byte)'\r');
        if (ended)
        {
            var whole = line.Length == 1 ? _cr : cr == line.Length - 2;
            if (!whole)
            {
                throw new FormatException(cr >= 0 ? "the stored content has a bare CR" : "the stored content has a bare LF");
            }

            _cr = false;
        }
        else
        {
            _cr = cr == line.Length - 1;
            if (cr >= 0 && !_cr)
            {
                throw new FormatException("the stored content has a bare CR");
            }
        }
    }
}
