using System.Text;
using Sallyport.Mail.Relaying;
using Xunit;

namespace Sallyport.Tests.Mail.Relaying;

/// <summary>However long a next hop talks, its reply is read to its end or given up, and little of it is kept.</summary>
public sealed class ReplyLimitTests
{
    [Fact]
    public void A_long_line_is_cut_and_the_reply_completes()
    {
        var parser = new ReplyParser();
        var octets = Encoding.UTF8.GetBytes("550 5.7.1 " + string.Concat(Enumerable.Repeat("né", 10_000)) + "\r\n250 ok\r\n");
        Assert.Equal(ReplyState.Complete, parser.Read(octets, out var consumed));
        Assert.Equal("550 5.7.1 né", parser.Reply.ToString()[..12]);
        Assert.InRange(Encoding.UTF8.GetByteCount(parser.Reply.Lines[0]), 2000, ReplyParser.LineBytesMax);
        Assert.DoesNotContain('\uFFFD', parser.Reply.Lines[0]);
        Assert.Equal(ReplyState.Complete, parser.Read(octets.AsSpan(consumed), out _));
        Assert.Equal("250 ok", parser.Reply.ToString());
    }

    [Fact]
    public void Of_many_lines_the_first_are_kept_and_the_code_is_that_of_all()
    {
        var parser = new ReplyParser();
        var many = string.Concat(Enumerable.Range(0, 1000).Select(i => $"550-5.1.1 line {i}\r\n"));
        Assert.Equal(ReplyState.Complete, Read(parser, many + "550 5.1.1 the last\r\n"));
        Assert.Equal(ReplyParser.LinesMax, parser.Reply.Lines.Length);
        Assert.Equal("line 0", parser.Reply.Lines[0]);
        Assert.Equal(550, parser.Reply.Code);
        Assert.Equal(ReplyState.Malformed, Read(new ReplyParser(), many + "250 another code\r\n"));
    }

    [Fact]
    public void No_reply_keeps_more_than_its_share()
    {
        var parser = new ReplyParser();
        var lines = string.Concat(Enumerable.Repeat("550-" + new string('x', 1000) + "\r\n", 50));
        Assert.Equal(ReplyState.Complete, Read(parser, lines + "550 end\r\n"));
        Assert.Equal(ReplyParser.TextMax, parser.Reply.Lines.Sum(line => line.Length));
    }

    [Fact]
    public void A_reply_that_does_not_end_is_given_up_without_being_kept()
    {
        var parser = new ReplyParser();
        var line = Encoding.ASCII.GetBytes("550-" + new string('x', 1000) + "\r\n");
        var read = 0;
        while (parser.Read(line, out var consumed) == ReplyState.Incomplete)
        {
            read += consumed;
            Assert.InRange(read, 0, ReplyParser.ReplyBytesMax);
        }

        Assert.InRange(read, ReplyParser.ReplyBytesMax - (2 * line.Length), ReplyParser.ReplyBytesMax);
    }

    [Fact]
    public void Each_reply_has_its_own_share()
    {
        var parser = new ReplyParser();
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(ReplyState.Complete, Read(parser, "250 " + new string('x', 1500) + "\r\n"));
            Assert.Equal(1500, parser.Reply.Lines[0].Length);
        }
    }

    private static ReplyState Read(ReplyParser parser, string text) => parser.Read(Encoding.ASCII.GetBytes(text), out _);
}
