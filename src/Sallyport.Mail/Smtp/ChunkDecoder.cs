using System.Buffers;

namespace Sallyport.Mail.Smtp;

/// <summary>BDAT (RFC 3030): the same care for newlines as with DATA, no dots. Chunks may be cut anywhere, within CRLF too.</summary>
public sealed class ChunkDecoder(SmtpLimits limits) : ContentDecoder(limits)
{
    private bool _cr;

    public void Decode(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        var i = 0;
        while (i < input.Length)
        {
            if (_cr)
            {
                i += AfterCr(input[i], output);
                continue;
            }

            var run = input[i..].IndexOfAny((byte)'\r', (byte)'\n');
            Text(run < 0 ? input[i..] : input.Slice(i, run), output);
            if (run < 0)
            {
                return;
            }

            i += run + 1;
            _cr = input[i - 1] == '\r';
            if (!_cr)
            {
                Newline(output, bare: true);
            }
        }
    }

    /// <summary>After the last chunk: content that does not end with a newline gets one, since DATA at the next hop needs it.</summary>
    public void Finish(IBufferWriter<byte> output)
    {
        if (_cr)
        {
            Newline(output, bare: true);
            _cr = false;
        }
        else if (!AtLineStart)
        {
            Newline(output, bare: false);
        }
    }

    private int AfterCr(byte octet, IBufferWriter<byte> output)
    {
        switch (octet)
        {
            case (byte)'\n':
                _cr = false;
                Newline(output, bare: false);
                return 1;
            case (byte)'\r':
                Facts.BareNewline = true;
                return 1;
            default:
                _cr = false;
                Newline(output, bare: true);
                return 0;
        }
    }
}
