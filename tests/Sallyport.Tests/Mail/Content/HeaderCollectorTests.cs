using System.Text;
using CsCheck;
using Sallyport.Mail.Content;
using Sallyport.Mail.Smtp;
using Xunit;

namespace Sallyport.Tests.Mail.Content;

public sealed class HeaderCollectorTests
{
    [Theory]
    [InlineData("a: b\r\nc: d\r\n\r\nbody\r\n", "a: b\r\nc: d\r\n", "body\r\n")]
    [InlineData("a: b\r\n\r\n", "a: b\r\n", "")]
    [InlineData("\r\nbody\r\n", "", "body\r\n")]
    [InlineData("\r\n\r\nbody\r\n", "", "\r\nbody\r\n")]
    [InlineData("a: b\r\n\r\n\r\n\r\n", "a: b\r\n", "\r\n\r\n")]
    [InlineData("a: b\r\n", "a: b\r\n", "")]
    [InlineData("", "", "")]
    public void The_header_ends_at_the_first_empty_line(string content, string header, string body)
    {
        for (var size = 1; size <= Math.Max(1, content.Length); size++)
        {
            Assert.Equal((header, body, false), Collect(content, size, 1000));
        }
    }

    [Fact]
    public void The_header_does_not_depend_on_where_the_content_was_cut() =>
        Gen.Select(Gen.OneOfConst("a", "bc: d", "\r\n", "\r\n", "\r\n\r\n").Array[0, 12].Select(string.Concat), Gen.Int[1, 9])
            .Sample((content, size) => Assert.Equal(Collect(content, content.Length + 1, 20), Collect(content, size, 20)), iter: 20_000, threads: 1);

    [Theory]
    [InlineData(20, false)]
    [InlineData(21, true)]
    public void A_header_may_have_as_many_octets_as_the_limit_says(int octets, bool refused)
    {
        var header = new string('a', octets - 2) + "\r\n";
        for (var size = 1; size <= octets + 6; size++)
        {
            Assert.Equal(refused, Collect(header + "\r\nbody", size, 20).Refused);
            Assert.Equal(refused, Collect(header, size, 20).Refused);
        }
    }

    [Fact]
    public void An_endless_header_does_not_pile_up()
    {
        var collector = new HeaderCollector(new SmtpLimits { HeaderBytes = 100 });
        Assert.True(collector.Append(new byte[10_000], out var consumed));
        Assert.Equal(10_000, consumed);
        Assert.Equal((552, new EnhancedCode(5, 3, 4)), (collector.Refusal!.Code, collector.Refusal.Enhanced));
        Assert.True(collector.Header.IsEmpty);
        Assert.True(collector.Append(new byte[10], out consumed));
        Assert.Equal(0, consumed);
    }

    private static (string Header, string Body, bool Refused) Collect(string content, int size, int limit)
    {
        var collector = new HeaderCollector(new SmtpLimits { HeaderBytes = limit });
        var octets = Encoding.ASCII.GetBytes(content);
        var body = new List<byte>();
        for (var from = 0; from < octets.Length; from += size)
        {
            var piece = octets.AsSpan(from, Math.Min(size, octets.Length - from));
            if (collector.Append(piece, out var consumed))
            {
                body.AddRange(piece[consumed..]);
            }
        }

        collector.Finish();
        Assert.True(collector.IsComplete);
        return collector.Refusal is not null
            ? ("", "", true)
            : (Encoding.ASCII.GetString(collector.Header.Span), Encoding.ASCII.GetString([.. body]), false);
    }
}
