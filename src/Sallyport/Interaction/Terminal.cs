using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;

namespace Sallyport.Interaction;

/// <summary>What a command shows and asks.</summary>
internal static class Terminal
{
    private const int ColumnsUsual = 80;
    private const int PasswordLineBytesMax = 64 * 1024;

    private static bool IsTerminal => !Console.IsOutputRedirected;

    /// <summary>--json was given: what fails is JSON too, on standard output.</summary>
    public static bool AsJson { get; set; }

    public static int Json<T>(T value, JsonTypeInfo<T> type, bool done = true)
    {
        Console.WriteLine(JsonSerializer.Serialize(value, type));
        return done ? Exit.Done : Exit.Failed;
    }

    public static void Line(string text) => Console.WriteLine(CleanWriter.Clean(text));

    public static void Warn(string text) => Console.Error.WriteLine("warning: " + text);

    public static int Fail(string text, int code = Exit.Failed)
    {
        if (AsJson)
        {
            Json(new FailureReport(false, text, null), CommandJson.Readable.FailureReport);
        }
        else
        {
            Console.Error.WriteLine("sallyport: " + text);
        }

        return code;
    }

    /// <summary>The configuration has mistakes.</summary>
    public static int Fail(string file, IReadOnlyCollection<ConfigurationProblem> problems)
    {
        if (AsJson)
        {
            Json(new FailureReport(false, $"{file} has errors", [.. problems]), CommandJson.Readable.FailureReport);
        }
        else
        {
            foreach (var problem in problems)
            {
                Console.Error.WriteLine(problem);
            }
        }

        return Exit.Usage;
    }

    public static Grid NewTable(params string[] columns) => new(columns);

    /// <summary>A cell with text from anywhere: no control character in it reaches the terminal.</summary>
    public static GridCell Cell(string? text, CellColor color = CellColor.None) => new(LogText.Clean(text ?? ""), color);

    public static GridCell Outcome(string outcome) => Cell(outcome, outcome switch
    {
        "ok" => CellColor.Green,
        "refused" or "failed" => CellColor.Red,
        _ => CellColor.Yellow,
    });

    public static void Write(Grid table)
    {
        foreach (var line in table.Render(IsTerminal ? Width() : null, IsTerminal && HasColors()))
        {
            Console.WriteLine(line);
        }
    }

    /// <summary>What is being done, on a line of its own that the next one overwrites; null wipes it. Only for somebody who watches.</summary>
    public static void Progress(string? what)
    {
        if (AsJson || Console.IsErrorRedirected || !HasColors())
        {
            return;
        }

        var (line, room) = (what ?? "", Width() - 1);
        Console.Error.Write('\r'); // a character of its own: within a text it would be shown as what it is
        Console.Error.Write((line.Length <= room ? line : line[..room]).PadRight(room));
        Console.Error.Write('\r');
    }

    /// <summary>As no-color.org and terminfo's "dumb" have it.</summary>
    private static bool HasColors() => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";

    private static int Width() => Console.WindowWidth is > 0 and var width ? width : ColumnsUsual;

    public static string Age(TimeSpan age) => age.TotalMinutes < 1 ? $"{Math.Max(0, (int)age.TotalSeconds)} s"
        : age.TotalHours < 1 ? $"{(int)age.TotalMinutes} min"
        : age.TotalDays < 2 ? $"{(int)age.TotalHours} h {age.Minutes} min"
        : $"{(int)age.TotalDays} d";

    public static string Size(long bytes) => bytes < 10_000
        ? $"{bytes} B"
        : bytes < 10_000_000
            ? (bytes / 1024d).ToString("0 KiB", CultureInfo.InvariantCulture)
            : (bytes / 1024d / 1024).ToString("0.0 MiB", CultureInfo.InvariantCulture);

    /// <summary>A secret taken as it is, from a prompt that shows nothing or the first line of standard input. Null when there is none.</summary>
    public static string? ReadSecret(string name)
    {
        var typed = Console.IsInputRedirected ? Console.In.ReadLine() : Unseen(char.ToUpperInvariant(name[0]) + name[1..] + ": ");
        if (typed?.Trim() is { Length: > 0 } secret)
        {
            return secret;
        }

        Fail($"no {name}: type one, or give it as the first line of standard input");
        return null;
    }

    /// <summary>A password from a prompt that shows nothing, or the first line of standard input. Null when it can be none; why is said.</summary>
    public static string? ReadPassword(ServerOptions options, bool twice)
    {
        var typed = Console.IsInputRedirected ? FirstLine() : Ask(twice);
        if (typed is null)
        {
            return null;
        }

        if (PasswordMistake(typed, options.Limits.Smtp.CredentialBytes) is { } mistake)
        {
            Fail(mistake, Exit.Usage);
            return null;
        }

        return Credentials.Prepare(typed);
    }

    /// <summary>Why it can be no password; null when it can.</summary>
    public static string? PasswordMistake(byte[] typed, int bytesMax) =>
        typed.Length == 0 ? "no password: type one, or give it as the first line of standard input"
        : typed.Length > bytesMax ? $"the password has {typed.Length} bytes; the server takes at most {bytesMax} (limits.max_credential_bytes)"
        : !System.Text.Unicode.Utf8.IsValid(typed) ? "the password is not UTF-8: no mail program would send these bytes"
        : Encoding.UTF8.GetString(typed).Any(char.IsControl) ? "the password has a control character (a tab, perhaps), which no password can have"
        : string.IsNullOrEmpty(Credentials.Prepare(typed)) ? "the password has a character no password can have"
        : null;

    private static byte[]? Ask(bool twice)
    {
        var password = Unseen("Password: ");
        if (twice && password != Unseen("Once more: "))
        {
            Fail("the two passwords differ", Exit.Usage);
            return null;
        }

        return Encoding.UTF8.GetBytes(password);
    }

    /// <summary>A line typed without an echo; Backspace takes back a character.</summary>
    private static string Unseen(string prompt)
    {
        Console.Write(prompt);
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter)
            {
                Console.WriteLine();
                return typed.ToString();
            }

            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length -= typed.Length == 0 ? 0 : typed.Length > 1 && char.IsLowSurrogate(typed[^1]) ? 2 : 1;
            }
            else if (key.KeyChar != '\0')
            {
                typed.Append(key.KeyChar);
            }
        }
    }

    private static byte[] FirstLine()
    {
        using var input = Console.OpenStandardInput();
        var line = new List<byte>();
        for (var next = input.ReadByte(); next >= 0 && next != '\n' && line.Count < PasswordLineBytesMax; next = input.ReadByte())
        {
            line.Add((byte)next);
        }

        if (line is [.., (byte)'\r'])
        {
            line.RemoveAt(line.Count - 1);
        }

        return [.. line];
    }
}
