using System.Text.RegularExpressions;
using Xunit;

namespace Sallyport.Tests.Tidy;

/// <summary>Invariant 7: a deadline comes from TimeProvider, so that a test can let it pass.</summary>
public sealed partial class ClockTests
{
    [Theory]
    [InlineData("new CancellationTokenSource(deadline)", true)]
    [InlineData("new CancellationTokenSource(TimeSpan.FromSeconds(3))", true)]
    [InlineData("new CancellationTokenSource(deadline, time)", false)]
    [InlineData("new CancellationTokenSource()", false)]
    [InlineData("await Task.Delay(wait, cancel);", true)]
    [InlineData("await Task.Delay(wait, time, cancel);", false)]
    [InlineData("await Task.Delay(Timeout.InfiniteTimeSpan, limit.Token);", false)]
    [InlineData("await task.WaitAsync(limit, cancel);", true)]
    [InlineData("await task.WaitAsync(TimeSpan.FromSeconds(3));", true)]
    [InlineData("await task.WaitAsync(limit, _time, cancel);", false)]
    [InlineData("await task.WaitAsync(cancel);", false)]
    [InlineData("new PeriodicTimer(every)", true)]
    [InlineData("new PeriodicTimer(every, time)", false)]
    public void The_scan_knows_a_wall_clock(string code, bool wall) => Assert.Equal(wall, IsWallClock(code));

    [Fact]
    public void No_deadline_runs_on_the_wall_clock()
    {
        var found = SourceTree.CSharp("src").SelectMany(file => file.Lines.Select((line, i) => (file.Path, Line: line, At: i + 1)))
            .Where(place => !place.Line.TrimStart().StartsWith("//", StringComparison.Ordinal) && IsWallClock(place.Line)).ToList();
        Assert.Empty(found.Select(place => $"{place.Path}:{place.At}: {place.Line.Trim()}"));
    }

    private static bool IsWallClock(string line) =>
        Call().Matches(line).Any(match => match.Groups[1].Value switch
        {
            var call when call.StartsWith("Task.Delay", StringComparison.Ordinal) => Arguments(line, match) is var waits && waits.Count < 3
                && waits[0] != "Timeout.InfiniteTimeSpan" && !HasClock(line, match),
            var call when call.EndsWith("WaitAsync", StringComparison.Ordinal) => Arguments(line, match) is { Count: > 0 } arguments
                && (arguments.Count == 2 || arguments[0].Contains("TimeSpan", StringComparison.Ordinal)) && !HasClock(line, match),
            _ => Arguments(line, match) is { Count: 1 } arguments && arguments[0].Length > 0,
        });

    private static bool HasClock(string line, Match call) =>
        Arguments(line, call).Skip(1).Any(argument => argument.Contains("time", StringComparison.OrdinalIgnoreCase));

    /// <summary>What is between the parentheses, by its commas at this depth.</summary>
    private static List<string> Arguments(string line, Match call)
    {
        var arguments = new List<string>();
        var (depth, start) = (0, call.Index + call.Length);
        for (var i = start; i < line.Length; i++)
        {
            depth += line[i] switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
            if (depth < 0 || (depth == 0 && line[i] == ','))
            {
                arguments.Add(line[start..i].Trim());
                start = i + 1;
            }

            if (depth < 0)
            {
                return arguments;
            }
        }

        return arguments;
    }

    [GeneratedRegex(@"(new CancellationTokenSource|new PeriodicTimer|new Timer|Task\.Delay|\.WaitAsync)\(")]
    private static partial Regex Call();
}
