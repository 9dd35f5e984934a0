using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Smtp;

/// <summary>DATA and BDAT against a second, slow reading of the same rules, cut wherever the network may cut.</summary>
public sealed partial class ContentDecoderTests
{
    private static readonly SmtpLimits Limits = new();

    /// <summary>Octets of which trouble is made.</summary>
    private static readonly Gen<byte[]> Octets =
        Gen.OneOfConst("\r", "\n", "\r\n", ".", "\r\n.", "\n.", "\r\n.\r\n", "a", "bc", "\0", "\u00e9", "\r\r\n", ".\r", "..")
            .Array[0, 25].Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts)));

    private static readonly Gen<int[]> Cuts = Gen.Int[1, 7].Array[1, 10];

    private sealed record Result(string Text, bool Ended, int Consumed, bool Bare, bool Nul, bool EightBit, long Bytes, int Longest);

    [Fact]
    public void What_DATA_decodes_to_does_not_depend_on_where_it_was_cut() => Gen.Select(Octets, Cuts).Sample((octets, cuts) =>
        Assert.Equal(DecodeData([octets]), DecodeData(Pieces(octets, cuts))), iter: 20_000, threads: 1);

    [Fact]
    public void What_BDAT_decodes_to_does_not_depend_on_where_it_was_cut() => Gen.Select(Octets, Cuts).Sample((octets, cuts) =>
        Assert.Equal(DecodeChunks([octets]), DecodeChunks(Pieces(octets, cuts))), iter: 20_000, threads: 1);

    [Fact]
    public void DATA_ends_at_the_first_CRLF_dot_CRLF_and_nowhere_else() => Octets.Sample(octets =>
    {
        var at = ("\r\n" + Latin(octets)).IndexOf("\r\n.\r\n", StringComparison.Ordinal);
        var result = DecodeData([octets]);
        Assert.Equal(at >= 0, result.Ended);
        Assert.Equal(at >= 0 ? at + 3 : octets.Length, result.Consumed);
    }, iter: 20_000, threads: 1);

    [Fact]
    public void Decoded_content_has_no_bare_CR_and_no_bare_LF() => Octets.Sample(octets =>
    {
        byte[] whole = [.. octets, .. "\r\n.\r\n"u8];
        Assert.DoesNotMatch(BareNewline(), DecodeData([whole]).Text);
        Assert.DoesNotMatch(BareNewline(), DecodeChunks([octets]).Text);
    }, iter: 20_000, threads: 1);

    [Fact]
    public void DATA_decodes_as_the_rules_say() => Octets.Sample(octets =>
    {
        byte[] whole = [.. octets, .. "\r\n.\r\n"u8];
        Assert.Equal(SlowData(Latin(whole)), DecodeData([whole]).Text);
    }, iter: 20_000, threads: 1);

    [Fact]
    public void BDAT_decodes_as_the_rules_say() => Octets.Sample(octets =>
    {
        var text = Newline().Replace(Latin(octets), "\r\n");
        text += text.Length == 0 || text.EndsWith("\r\n", StringComparison.Ordinal) ? "" : "\r\n";
        Assert.Equal(text, DecodeChunks([octets]).Text);
    }, iter: 20_000, threads: 1);

    [Fact]
    public void A_bare_newline_is_noticed_exactly_when_there_is_one() => Octets.Sample(octets =>
    {
        var result = DecodeChunks([octets]);
        Assert.Equal(BareNewline().IsMatch(Latin(octets)), result.Bare);
        Assert.Equal(octets.Contains((byte)0), result.Nul);
        Assert.Equal(octets.Any(octet => octet > 127), result.EightBit);
    }, iter: 20_000, threads: 1);

    [Fact]
    public void Dot_stuffing_comes_back_as_it_was() =>
        Gen.OneOfConst("", ".", "..", ".a", "a.", "text", "...").Array[0, 10].Sample(lines =>
        {
            var stuffed = string.Concat(lines.Select(line => (line.StartsWith('.') ? "." : "") + line + "\r\n")) + ".\r\n";
            var result = DecodeData([Encoding.ASCII.GetBytes(stuffed)]);
            Assert.True(result.Ended);
            Assert.Equal(string.Concat(lines.Select(line => line + "\r\n")), result.Text);
            Assert.False(result.Bare);
        }, iter: 5_000, threads: 1);

    /// <summary>https://smtpsmuggling.com and what followed it: whatever some server somewhere took for the end of a message.</summary>
    [Theory]
    [InlineData("\n.\n", "a\r\n.\r\nb\r\n")]
    [InlineData("\r.\r", "a\r\n.\r\nb\r\n")]
    [InlineData("\n.\r\n", "a\r\n.\r\nb\r\n")]
    [InlineData("\r\n.\n", "a\r\n.\r\nb\r\n")]
    [InlineData("\r.\r\n", "a\r\n.\r\nb\r\n")]
    [InlineData("\r\n.\r", "a\r\n.\r\nb\r\n")]
    [InlineData("\n.\r", "a\r\n.\r\nb\r\n")]
    [InlineData("\r.\n", "a\r\n.\r\nb\r\n")]
    [InlineData("\n\n.\n\n", "a\r\n\r\n.\r\n\r\nb\r\n")]
    [InlineData("\r\n.\r\r\n", "a\r\n.\r\nb\r\n")]
    [InlineData("\r\n\0.\r\n", "a\r\n\0.\r\nb\r\n")]
    [InlineData("\r\n.\0\r\n", "a\r\n\0\r\nb\r\n")]
    [InlineData("\r\n. \r\n", "a\r\n \r\nb\r\n")]
    [InlineData("\r\n.\t\r\n", "a\r\n\t\r\nb\r\n")]
    [InlineData("\r\n..\r\n", "a\r\n.\r\nb\r\n")]
    [InlineData("\n..\r\n", "a\r\n.\r\nb\r\n")]
    [InlineData("\r\n.\u0085", "a\r\n\u0085b\r\n")]
    public void What_only_looks_like_an_end_is_content(string trick, string decoded)
    {
        var octets = Encoding.UTF8.GetBytes("a" + trick + "b\r\n.\r\n");
        var result = DecodeData([octets]);
        Assert.True(result.Ended);
        Assert.Equal(octets.Length, result.Consumed);
        Assert.Equal(Latin(Encoding.UTF8.GetBytes(decoded)), result.Text);
        var octetByOctet = DecodeData([.. octets.Select(octet => new[] { octet })]);
        Assert.Equal(result, octetByOctet);
    }

    [Theory]
    [InlineData("a\n.\nb")]
    [InlineData("a\rb")]
    [InlineData("a\r\r\nb")]
    [InlineData("a\r\n.\r\r\nb")]
    public void Content_with_a_bare_newline_is_refused_unless_normalised(string text)
    {
        var decoder = new DataDecoder(Limits);
        Assert.True(decoder.Decode(Encoding.ASCII.GetBytes(text + "\r\n.\r\n"), new ArrayBufferWriter<byte>(), out _));
        Assert.Equal(Replies.BareNewlineRefused, decoder.Facts.Verdict(Limits, normaliseBareNewlines: false));
        Assert.Null(decoder.Facts.Verdict(Limits, normaliseBareNewlines: true));
    }

    [Fact]
    public void An_overlong_line_is_named_also_when_it_has_no_end()
    {
        var decoder = new ChunkDecoder(Limits);
        var output = new ArrayBufferWriter<byte>();
        decoder.Decode(Encoding.ASCII.GetBytes("a\r\n" + new string('x', 999)), output);
        decoder.Finish(output);
        Assert.Equal(Replies.ContentLineTooLong(2, 999, 998), decoder.Facts.Verdict(Limits, false));
    }

    [Fact]
    public void Over_the_limit_octets_are_followed_but_no_longer_put_out()
    {
        var limits = Limits with { MessageBytes = 10 };
        var decoder = new DataDecoder(limits);
        var output = new ArrayBufferWriter<byte>();
        var line = Encoding.ASCII.GetBytes(new string('x', 500) + "\r\n");
        for (var i = 0; i < 100; i++)
        {
            Assert.False(decoder.Decode(line, output, out _));
        }

        Assert.True(decoder.Decode(".\r\n"u8, output, out _));
        Assert.Equal(50_200, decoder.Facts.Bytes);
        Assert.True(output.WrittenCount <= 10);
        Assert.Equal(Replies.TooBig(10), decoder.Facts.Verdict(limits, false));
    }

    private static Result DecodeData(IEnumerable<byte[]> pieces)
    {
        var decoder = new DataDecoder(Limits);
        var output = new ArrayBufferWriter<byte>();
        var total = 0;
        foreach (var piece in pieces)
        {
            var ended = decoder.Decode(piece, output, out var consumed);
            total += consumed;
            if (ended)
            {
                return ResultOf(decoder.Facts, output, true, total);
            }

            Assert.Equal(piece.Length, consumed);
        }

        return ResultOf(decoder.Facts, output, false, total);
    }

    private static Result DecodeChunks(IEnumerable<byte[]> pieces)
    {
        var decoder = new ChunkDecoder(Limits);
        var output = new ArrayBufferWriter<byte>();
        foreach (var piece in pieces)
        {
            decoder.Decode(piece, output);
        }

        decoder.Finish(output);
        return ResultOf(decoder.Facts, output, true, 0);
    }

    private static Result ResultOf(ContentFacts facts, ArrayBufferWriter<byte> output, bool ended, int consumed) => new(
        Latin(output.WrittenSpan), ended, consumed, facts.BareNewline, facts.Nul, facts.EightBit, facts.Bytes, facts.OverlongLineBytes);

    private static IEnumerable<byte[]> Pieces(byte[] octets, int[] cuts)
    {
        for (int from = 0, i = 0; from < octets.Length; i++)
        {
            var to = Math.Min(octets.Length, from + cuts[i % cuts.Length]);
            yield return octets[from..to];
            from = to;
        }
    }

    /// <summary>Line by line, with a regular expression for newlines: CR CR LF is one, a run of CRs without LF is one.</summary>
    private static string SlowData(string input)
    {
        var text = new StringBuilder();
        var strict = true;
        var from = 0;
        foreach (Match newline in Newline().Matches(input))
        {
            var line = input[from..newline.Index];
            if (strict && line == "." && newline.Value == "\r\n")
            {
                return text.ToString();
            }

            var unstuffed = strict ? line.StartsWith('.') && line != "." : line.StartsWith("..", StringComparison.Ordinal);
            text.Append(unstuffed ? line[1..] : line).Append("\r\n");
            strict = newline.Value.Contains("\r\n");
            from = newline.Index + newline.Length;
        }

        throw new InvalidOperationException("no end");
    }

    private static string Latin(ReadOnlySpan<byte> octets) => Encoding.Latin1.GetString(octets);

    [GeneratedRegex(@"\r*\n|\r+")]
    private static partial Regex Newline();

    [GeneratedRegex(@"(?<!\r)\n|\r(?!\n)")]
    private static partial Regex BareNewline();
}
