using Sallyport.Interaction;
using Xunit;

namespace Sallyport.Tests.Cli;

public sealed class GridTests
{
    private const string Reply = "451 4.4.1 Cannot reach inner.acme.test:25: Connection refused, and some more words that make it long";

    [Fact]
    public void Without_a_terminal_a_row_is_a_line_and_ends_without_blanks()
    {
        Assert.Equal(
            ["Queue id         Sender          Why", "3KWW1MRBZLYBHJJ  jane@acme.test  " + Reply, "3KWW1MRBZLYBHJK  x@acme.test"],
            Sample().Render(null, ansi: false));
    }

    [Fact]
    public void In_a_wide_terminal_the_last_cell_hangs() => Assert.Equal(
        ["Queue id         Sender          Why",
            "3KWW1MRBZLYBHJJ  jane@acme.test  451 4.4.1 Cannot reach",
            "                                 inner.acme.test:25: Connection refused,",
            "                                 and some more words that make it long",
            "3KWW1MRBZLYBHJK  x@acme.test"],
        Sample().Render(74, ansi: false));

    [Fact]
    public void In_a_narrow_terminal_the_last_cell_has_lines_of_its_own_and_nothing_is_cut()
    {
        var lines = Sample().Render(50, ansi: false).ToList();
        Assert.Equal("3KWW1MRBZLYBHJJ  jane@acme.test", lines[2]);
        var reply = lines.Skip(3).TakeWhile(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line.Trim());
        Assert.Equal(Reply, string.Join(' ', reply));
    }

    [Fact]
    public void In_a_narrow_terminal_an_empty_last_cell_takes_no_line() =>
        Assert.Equal("3KWW1MRBZLYBHJK  x@acme.test", Sample().Render(50, ansi: false).Last());

    [Theory]
    [InlineData(25)]
    [InlineData(50)]
    [InlineData(80)]
    [InlineData(120)]
    public void No_address_is_broken_at_any_width(int width)
    {
        var text = string.Join('\n', Sample().Render(width, ansi: false));
        Assert.Contains("3KWW1MRBZLYBHJJ", text);
        Assert.Contains("jane@acme.test", text);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= width, line));
    }

    private static Grid Sample()
    {
        var grid = new Grid("Queue id", "Sender", "Why");
        grid.Row(new("3KWW1MRBZLYBHJJ"), new("jane@acme.test"), new(Reply));
        grid.Row(new("3KWW1MRBZLYBHJK"), new("x@acme.test"), new(""));
        return grid;
    }
}
