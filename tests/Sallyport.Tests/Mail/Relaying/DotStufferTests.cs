using System.Buffers;
using System.Text;
using CsCheck;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Relaying;

public sealed class DotStufferTests
{
    [Theory]
    [InlineData("", ".\r\n")]
    [InlineData("a\r\n", "a\r\n.\r\n")]
    [InlineData("a", "a\r\n.\r\n")]
    [InlineData(".\r\n", "..\r\n.\r\n")]
    [InlineData("..a\r\nb.\r\n.", "...a\r\nb.\r\n..\r\n.\r\n")]
    public void Dots_at_the_start_of_a_line_are_doubled_and_the_end_is_a_lone_dot(string content, string wire) =>
        Assert.Equal(wire, Stuff(Encoding.ASCII.GetBytes(content), 1));

    [Theory]
    [InlineData("a\nb\r\n", "bare LF")]
    [InlineData("\n", "bare LF")]
    [InlineData("a\rb\r\n", "bare CR")]
    [InlineData("a\r\r\n", "bare CR")]
    [InlineData("a\r", "bare CR")]
    [InlineData("a\n.\r\nMAIL FROM:<evil@x.test>\r\n", "bare LF")]
    [InlineData("a\r.\r\n", "bare CR")]
    [InlineData("a\0b\r\n", "NUL")]
    public void What_could_be_read_as_two_messages_does_not_pass(string content, string why)
    {
        for (var piece = 1; piece <= content.Length; piece++)
        {
            var size = piece;
            Assert.Contains(why, Assert.Throws<FormatException>(() => Stuff(Encoding.ASCII.GetBytes(content), size)).Message);
        }
    }

    [Fact]
    public void What_is_stuffed_is_read_back_as_it_was_and_ends_nowhere_else() =>
        Gen.Select(Gen.OneOfConst(".", "..", "a", "\r\n", "\r\n.\r\n", "\u00e4", " ").Array[0, 40], Gen.Int[1, 7]).Sample((parts, pieceBytes) =>
        {
            var content = Encoding.UTF8.GetBytes(string.Concat(parts) + "\r\n");
            var wire = Encoding.UTF8.GetBytes(Stuff(content, pieceBytes));
            var decoded = new ArrayBufferWriter<byte>();
            Assert.True(new DataDecoder(new SmtpLimits()).Decode(wire, decoded, out var consumed));
            Assert.Equal(wire.Length, consumed);
            Assert.Equal(content, decoded.WrittenSpan.ToArray());
        });

    private static string Stuff(byte[] content, int pieceBytes)
    {
        var output = new ArrayBufferWriter<byte>();
        var stuffer = new DotStuffer();
        foreach (var piece in content.Chunk(pieceBytes))
        {
            stuffer.Write(piece, output);
        }

        stuffer.Finish(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
