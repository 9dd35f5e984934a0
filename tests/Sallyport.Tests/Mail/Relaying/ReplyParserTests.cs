using System.Text;
using CsCheck;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Relaying;

/// <summary>What next hops answer: liberal in text, strict in form and limits.</summary>
public sealed class ReplyParserTests
{
    [Theory]
    [InlineData("250 Ok\r\n", "250 Ok")]
    [InlineData("250\r\n", "250 ")]
    [InlineData("250 \n", "250 ")]
    [InlineData("250-one\r\n250 two\r\n", "250-one 250 two")]
    [InlineData("250-\r\n250\r\n", "250- 250 ")]
    [InlineData("550-5.1.1 No such\r\n550 5.1.1 user\r\n", "550-5.1.1 No such 550 5.1.1 user")]
    [InlineData("550 5.1.1\r\n", "550 5.1.1 ")]
    [InlineData("550-5.1.1 No such\r\n550 user\r\n", "550-5.1.1 No such 550 5.1.1 user")]
    [InlineData("550 4.1.1 Odd\r\n", "550 4.1.1 Odd")]
    [InlineData("550 5.1 Odd\r\n", "550 5.1 Odd")]
    [InlineData("550 Kein \u00e4rger\r\n", "550 Kein \u00e4rger")]
    [InlineData("550 a\tb\u001b[0m\r\n", "550 a?b?[0m")]
    [InlineData("550 a\rb\r\n", "550 a?b")]
    public void A_reply_is_read(string octets, string reply)
    {
        var parser = new ReplyParser();
        Assert.Equal(ReplyState.Complete, parser.Read(Encoding.UTF8.GetBytes(octets), out var consumed));
        Assert.Equal(Encoding.UTF8.GetByteCount(octets), consumed);
        Assert.Equal(reply.TrimEnd(), parser.Reply.ToString());
    }

    [Theory]
    [InlineData("25 Ok\r\n")]
    [InlineData("2500 Ok\r\n")]
    [InlineData("199 Ok\r\n")]
    [InlineData("600 Ok\r\n")]
    [InlineData("+25 Ok\r\n")]
    [InlineData("\r\n")]
    [InlineData("Hello\r\n")]
    [InlineData("250-one\r\n251 two\r\n")]
    [InlineData("250:one\r\n")]
    public void What_is_no_reply_is_told(string octets) =>
        Assert.Equal(ReplyState.Malformed, new ReplyParser().Read(Encoding.UTF8.GetBytes(octets), out _));

    [Fact]
    public void A_reply_is_read_to_its_end_kept_in_part_and_given_up_when_it_has_none()
    {
        var parser = new ReplyParser();
        Assert.Equal(ReplyState.Complete, parser.Read(Encoding.UTF8.GetBytes("250 " + new string('x', 10_000) + "\r\n"), out _));
        Assert.Equal(ReplyParser.LineBytesMax - 4, parser.Reply.Lines.Single().Length);
        var endless = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("250-x\r\n", ReplyParser.ReplyBytesMax / 7)));
        Assert.Equal(ReplyState.Incomplete, parser.Read(endless, out _));
        Assert.Equal(ReplyState.Malformed, parser.Read("250-x\r\n250-x\r\n"u8, out _));
    }

    [Fact]
    public void Pipelined_replies_are_read_one_by_one_however_they_arrive() =>
        Gen.Select(Gen.Int[200, 599].Select(Gen.String[Gen.Char["abc .-"], 0, 20].Array[1, 4]).Array[1, 5], Gen.Int[1, 9])
            .Sample((replies, pieceBytes) =>
            {
                var wire = Encoding.UTF8.GetBytes(string.Concat(replies.Select(reply => new Reply(reply.Item1, null, [.. reply.Item2]))
                    .Select(reply => Encoding.UTF8.GetString(reply.Octets))));
                var parser = new ReplyParser();
                var read = new List<Reply>();
                foreach (var piece in wire.Chunk(pieceBytes))
                {
                    for (var rest = piece.AsSpan(); !rest.IsEmpty;)
                    {
                        if (parser.Read(rest, out var consumed) == ReplyState.Complete)
                        {
                            read.Add(parser.Reply);
                        }

                        rest = rest[consumed..];
                    }
                }

                Assert.Equal(replies.Select(reply => reply.Item2), read.Select(reply => reply.Lines.ToArray()));
            });

    [Theory]
    [InlineData("SIZE 1000", true, 1000L)]
    [InlineData("size", true, 0L)]
    [InlineData("SIZE 0", true, 0L)]
    [InlineData("SIZE much", true, 0L)]
    [InlineData("SIZE 99999999999999999999", true, 0L)]
    [InlineData("HELP", false, 0L)]
    public void SIZE_is_read_as_far_as_it_makes_sense(string line, bool size, long most)
    {
        var capabilities = Read(line);
        Assert.Equal((size, most), (capabilities.Size, capabilities.SizeMax));
    }

    [Fact]
    public void Capabilities_are_read_in_any_case_and_the_greeting_is_none_of_them()
    {
        var capabilities = Read(
            "PIPELINING", "8bitmime", "smtputf8", "DSN", "starttls", "LIMITS MAILMAX=10 RCPTMAX=20", "AUTH PLAIN login", "AUTH=CRAM-MD5 PLAIN");
        Assert.True(capabilities is { Pipelining: true, EightBitMime: true, SmtpUtf8: true, Dsn: true, StartTls: true });
        Assert.Equal((10, 20), (capabilities.MessagesMax, capabilities.RecipientsMax));
        Assert.Equal(["PLAIN", "LOGIN", "CRAM-MD5"], capabilities.Mechanisms);
        Assert.False(NextHopCapabilities.Read(new Reply(250, null, "STARTTLS")).StartTls);
    }

    private static NextHopCapabilities Read(params string[] lines) =>
        NextHopCapabilities.Read(new Reply(250, null, [.. lines.Prepend("hop.test")]));
}
