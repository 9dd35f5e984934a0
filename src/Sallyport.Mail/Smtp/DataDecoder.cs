using System.Buffers;

namespace Sallyport.Mail.Smtp;

/// <summary>
/// DATA (RFC 5321 §4.1.1.4, §4.5.2). CRLF.CRLF ends it and nothing else does. A bare LF, or a CR not followed by LF, becomes a
/// CRLF but never begins an end: a lone dot on such a line is content. A dot the client doubled there is made single again.
/// </summary>
public sealed class DataDecoder(SmtpLimits limits) : ContentDecoder(limits)
{
    private enum At
    {
        LineStart,
        Dot,
        DotCr,
        LooseStart,
        LooseDot,
        Text,
        Cr,
    }

    private At _at = At.LineStart;

    /// <summary>Decodes until the end of <paramref name="input"/> or of the content. True at CRLF.CRLF.</summary>
    public bool Decode(ReadOnlySpan<byte> input, IBufferWriter<byte> output, out int consumed)
    {
        var i = 0;
        while (i < input.Length)
        {
            if (_at == At.Text)
            {
                i += TakeText(input[i..], output);
                continue;
            }

            var octet = input[i];
            if (_at == At.DotCr && octet == '\n')
            {
                consumed = i + 1;
                return true;
            }

            if (Step(octet, output))
            {
                i++;
            }
        }

        consumed = i;
        return false;
    }

    private int TakeText(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        var run = input.IndexOfAny((byte)'\r', (byte)'\n');
        if (run < 0)
        {
            Text(input, output);
            return input.Length;
        }

        if (run > 0)
        {
            Text(input[..run], output);
        }

        if (input[run] == '\r')
        {
            // The usual case, a whole line: no need to go through the states.
            if (run + 1 < input.Length && input[run + 1] == '\n')
            {
                Newline(output, bare: false);
                _at = At.LineStart;
                return run + 2;
            }

            _at = At.Cr;
        }
        else
        {
            Newline(output, bare: true);
            _at = At.LooseStart;
        }

        return run + 1;
    }

    /// <summary>Returns true when the octet is used up, false when the new state has to look at it again.</summary>
    private bool Step(byte octet, IBufferWriter<byte> output)
    {
        switch (_at)
        {
            case At.LineStart:
                _at = octet == '.' ? At.Dot : At.Text;
                return octet == '.';
            case At.Dot when octet == '\r':
                _at = At.DotCr;
                return true;
            case At.Dot:
                if (octet == '\n')
                {
                    Text("."u8, output); // a lone dot ended by a bare LF is content
                }

                _at = At.Text;
                return false;
            case At.DotCr:
                Text("."u8, output);
                _at = At.Cr;
                return false;
            case At.LooseStart:
                _at = octet == '.' ? At.LooseDot : At.Text;
                return octet == '.';
            case At.LooseDot:
                Text("."u8, output);
                _at = At.Text;
                return octet == '.';
            default:
                return StepCr(octet, output);
        }
    }

    private bool StepCr(byte octet, IBufferWriter<byte> output)
    {
        switch (octet)
        {
            case (byte)'\n':
                Newline(output, bare: false);
                _at = At.LineStart;
                return true;
            case (byte)'\r':
                Facts.BareNewline = true; // CR CR LF is one newline, written twice over by a text-mode bug
                return true;
            default:
                Newline(output, bare: true);
                _at = At.LooseStart;
                return false;
        }
    }
}
