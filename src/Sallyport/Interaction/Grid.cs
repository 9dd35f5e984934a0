using System.Text;

namespace Sallyport.Interaction;

internal enum CellColor
{
    None,
    Red,
    Green,
    Yellow,
}

internal readonly record struct GridCell(string Text, CellColor Color = CellColor.None);

/// <summary>
/// Rows in columns. Nothing is cut, and no cell but the last is broken: in a terminal too narrow for a row the last cell goes on
/// lines of its own, and what still does not fit begins a new line. Without a terminal a row is a line.
/// </summary>
internal sealed class Grid(params string[] header)
{
    private const string Gap = "  ";
    private const string Indent = "    ";
    private const int LastColumnMin = 40;

    private readonly List<GridCell[]> _rows = [];

    public void Row(params GridCell[] cells) => _rows.Add(cells);

    /// <param name="width">Columns of the terminal; null where there is none.</param>
    /// <param name="ansi">Bold and colours.</param>
    public IEnumerable<string> Render(int? width, bool ansi)
    {
        var widths = header.Select((title, i) => _rows.Select(row => Length(row[i].Text)).Append(Length(title)).Max()).ToArray();
        var front = widths[..^1].Sum() + (Gap.Length * (widths.Length - 1));
        var titles = header.Select(title => new GridCell(title)).ToArray();
        foreach (var (cells, isHeader) in _rows.Select(row => (row, false)).Prepend((titles, true)))
        {
            var lines = width is null || front + widths[^1] <= width ? [Padded(cells, widths, cells[^1].Text, ansi, isHeader)]
                : width - front >= Math.Min(LastColumnMin, widths[^1]) ? Hanging(cells, widths, front, width.Value, ansi, isHeader)
                : Stacked(cells, widths, front, width.Value, ansi, isHeader);
            foreach (var line in lines)
            {
                yield return line;
            }
        }
    }

    private static IEnumerable<string> Hanging(GridCell[] cells, int[] widths, int front, int width, bool ansi, bool isHeader)
    {
        var wrapped = Wrap(cells[^1].Text, width - front).ToList();
        yield return Padded(cells, widths, wrapped[0], ansi, isHeader);
        foreach (var line in wrapped.Skip(1))
        {
            yield return new string(' ', front) + Paint(line, cells[^1].Color, ansi, isHeader);
        }
    }

    private static IEnumerable<string> Stacked(GridCell[] cells, int[] widths, int front, int width, bool ansi, bool isHeader)
    {
        if (front - Gap.Length <= width)
        {
            yield return Padded(cells[..^1], widths, cells[^2].Text, ansi, isHeader);
        }
        else
        {
            foreach (var line in Flow(cells[..^1], width, ansi, isHeader))
            {
                yield return line;
            }
        }

        foreach (var line in cells[^1].Text.Length == 0 ? [] : Wrap(cells[^1].Text, width - Indent.Length))
        {
            yield return (Indent + Paint(line, cells[^1].Color, ansi, isHeader)).TrimEnd();
        }
    }

    /// <summary>Cell after cell; one that does not fit begins a new line.</summary>
    private static IEnumerable<string> Flow(GridCell[] cells, int width, bool ansi, bool isHeader)
    {
        var line = new StringBuilder();
        var columns = 0;
        foreach (var cell in cells.Where(cell => cell.Text.Length > 0))
        {
            if (columns > 0 && columns + Gap.Length + Length(cell.Text) > width)
            {
                yield return line.ToString();
                line.Clear().Append(Indent);
                columns = Indent.Length;
            }
            else if (columns > 0)
            {
                line.Append(Gap);
                columns += Gap.Length;
            }

            line.Append(Paint(cell.Text, cell.Color, ansi, isHeader));
            columns += Length(cell.Text);
        }

        yield return line.ToString();
    }

    private static string Padded(GridCell[] cells, int[] widths, string last, bool ansi, bool isHeader)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Length - 1; i++)
        {
            line.Append(Paint(cells[i].Text, cells[i].Color, ansi, isHeader)).Append(' ', widths[i] - Length(cells[i].Text)).Append(Gap);
        }

        return line.Append(Paint(last, cells[^1].Color, ansi, isHeader)).ToString().TrimEnd();
    }

    /// <summary>At blanks; a word longer than the line stays whole.</summary>
    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && Length(line.ToString()) + 1 + Length(word) > width)
            {
                yield return line.ToString();
                line.Clear();
            }
            else if (line.Length > 0)
            {
                line.Append(' ');
            }

            line.Append(word);
        }

        yield return line.ToString();
    }

    private static int Length(string text) => text.EnumerateRunes().Count();

    private static string Paint(string text, CellColor color, bool ansi, bool bold)
    {
        var code = !ansi || text.Length == 0 ? null
            : bold ? "1"
            : color switch { CellColor.Red => "31", CellColor.Green => "32", CellColor.Yellow => "33", _ => null };
        return code is null ? text : $"\e[{code}m{text}\e[0m";
    }
}
