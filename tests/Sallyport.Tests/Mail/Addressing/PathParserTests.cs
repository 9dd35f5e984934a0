using System.Text;
using Sallyport.Mail.Addressing;
using Xunit;

namespace Sallyport.Tests.Mail.Addressing;

public sealed class PathParserTests
{
    [Theory]
    [InlineData("<jane@acme.test>", "<jane@acme.test>", 16)]
    [InlineData("<jane@acme.test> SIZE=1", "<jane@acme.test>", 16)]
    [InlineData("<@a.example:jane@acme.test>", "<jane@acme.test>", 27)]
    [InlineData("<@a.example,@b.example:jane@acme.test>", "<jane@acme.test>", 38)]
    [InlineData("<\"a>b\"@acme.test>", "<\"a>b\"@acme.test>", 17)]
    public void A_forward_path_is_read_and_its_route_dropped(string text, string path, int length)
    {
        Assert.True(PathParser.TryParseForward(Encoding.ASCII.GetBytes(text), out var found, out var consumed, out _));
        Assert.Equal((path, length), (found.ToString(), consumed));
    }

    [Theory]
    [InlineData("", PathError.Syntax)]
    [InlineData("jane@acme.test", PathError.Syntax)]
    [InlineData("<>", PathError.Syntax)]
    [InlineData("< jane@acme.test>", PathError.Syntax)]
    [InlineData("<jane@acme.test >", PathError.Syntax)]
    [InlineData("<jane@acme.test", PathError.Syntax)]
    [InlineData("<<jane@acme.test>>", PathError.Syntax)]
    [InlineData("<jane>", PathError.NoDomain)]
    [InlineData("<@a.example>", PathError.Syntax)]
    [InlineData("<@a.example:>", PathError.Syntax)]
    [InlineData("<@a.example,jane@acme.test>", PathError.Syntax)]
    [InlineData("<@a.example,@b.example", PathError.Syntax)]
    [InlineData("<@a.example;@b.example:jane@acme.test>", PathError.Syntax)]
    public void What_is_no_forward_path_is_refused(string text, PathError error)
    {
        Assert.False(PathParser.TryParseForward(Encoding.ASCII.GetBytes(text), out _, out _, out var found));
        Assert.Equal(error, found);
    }

    [Fact]
    public void The_null_path_is_a_reverse_path_only()
    {
        Assert.True(PathParser.TryParseReverse("<> SIZE=1"u8, out var path, out var consumed, out _));
        Assert.True(path.IsNull);
        Assert.Equal((2, "<>"), (consumed, path.ToString()));
        Assert.False(PathParser.TryParseForward("<>"u8, out _, out _, out _));
    }
}
