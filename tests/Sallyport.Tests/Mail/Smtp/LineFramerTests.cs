using System.Buffers;
using System.Text;
using CsCheck;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Smtp;

public sealed class LineFramerTests
{
    [Fact]
    public void Lines_are_the_same_however_they_arrive() => Gen.Select(
        Gen.OneOfConst("a", "bcdefgh", "\r\n", "\n", "\r", "NOOP\r\n", "0123456789").Array[0, 20].Select(string.Concat),
        Gen.Int[1, 6]).Sample((text, size) =>
        Assert.Equal(Read(text, text.Length), Read(text, size)), iter: 10_000, threads: 1);

    [Theory]
    [InlineData("NOOP\r\n", "Line NOOP")]
    [InlineData("NOOP\n", "BareLineFeed NOOP")]
    [InlineData("\u0016\u0003\u0001", "Foreign \u0016\u0003")]
    [InlineData("\u0003\u0000", "Foreign \u0003\u0000")]
    [InlineData("\u0016\r\n", "Line \u0016")]
    [InlineData("\n", "BareLineFeed ")]
    [InlineData("\r\n", "Line ")]
    [InlineData("a\rb\r\n", "Line a\rb")]
    [InlineData("01234567\r\n", "Line 01234567")]
    [InlineData("012345678\r\n", "TooLong ")]
    [InlineData("0123456789\n", "TooLong ")]
    public void A_line_of_at_most_ten_octets(string text, string line) => Assert.Equal([line], Read(text, 1));

    [Fact]
    public void A_line_without_end_is_given_up()
    {
        var framer = new LineFramer();
        var piece = new byte[64 * 1024];
        var kinds = new List<LineKind>();
        for (var i = 0; i < 20; i++)
        {
            var buffer = new ReadOnlySequence<byte>(piece);
            kinds.Add(framer.TryRead(ref buffer, 512, out _));
            Assert.True(buffer.IsEmpty, "an overlong line must not pile up in memory");
        }

        Assert.Equal(LineKind.Incomplete, kinds[15]);
        Assert.Equal(LineKind.Endless, kinds[16]);
    }

    private static List<string> Read(string text, int size)
    {
        var framer = new LineFramer();
        var lines = new List<string>();
        byte[] pending = [];
        for (var from = 0; from < text.Length; from += size)
        {
            pending = [.. pending, .. Encoding.ASCII.GetBytes(text[from..Math.Min(text.Length, from + size)])];
            var buffer = new ReadOnlySequence<byte>(pending);
            LineKind kind;
            while ((kind = framer.TryRead(ref buffer, 10, out var line)) != LineKind.Incomplete)
            {
                lines.Add(kind + " " + Encoding.ASCII.GetString(line));
            }

            pending = buffer.ToArray();
        }

        return lines;
    }
}
