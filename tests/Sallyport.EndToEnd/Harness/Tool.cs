using System.Diagnostics;
using System.Text;

namespace Sallyport.EndToEnd.Harness;

/// <summary>Runs a program to its end. Output is kept whole; a deadline ends what hangs.</summary>
internal static class Tool
{
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static async Task<ToolResult> RunAsync(
        string program, IEnumerable<string> arguments, string? input = null, IDictionary<string, string>? environment = null)
    {
        var start = Start(program, arguments, environment);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end within {Deadline}: {await output} {await error}");
        }

        return new ToolResult(process.ExitCode, await output, await error);
    }

    /// <summary>The same for a command line whose first word is the program.</summary>
    public static Task<ToolResult> RunAsync(string[] command, string? input = null) => RunAsync(command[0], command[1..], input);

    public static ProcessStartInfo Start(string[] command) => Start(command[0], command[1..]);

    public static ProcessStartInfo Start(string program, IEnumerable<string> arguments, IDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return start;
    }

    /// <summary>The next line a process writes; null at its end.</summary>
    public static Task<string?> LineAsync(Process process) => process.StandardOutput.ReadLineAsync().WaitAsync(Deadline);

    public static Task<string> ErrorsAsync(Process process) => process.StandardError.ReadToEndAsync().WaitAsync(Deadline);

    public static Task EndAsync(Process process) => process.WaitForExitAsync().WaitAsync(Deadline);

    /// <summary>Polls a condition until it holds; a bounded wait on something another process does.</summary>
    /// <param name="trouble">What to show when it never holds.</param>
    public static async Task UntilAsync(Func<bool> holds, string what, TimeSpan? within = null, Func<string>? trouble = null)
    {
        var end = DateTime.UtcNow + (within ?? TimeSpan.FromSeconds(30));
        while (!holds())
        {
            if (DateTime.UtcNow > end)
            {
                throw new TimeoutException($"still waiting: {what}\n{trouble?.Invoke()}");
            }

            await Task.Delay(25);
        }
    }
}

internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public string All => Output + Error;
}
