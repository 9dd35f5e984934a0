using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Configuration;
using Sallyport.Server.Telemetry;
using Spectre.Console;

namespace Sallyport.Interaction;

/// <summary>What a command shows and asks.</summary>
internal static class Terminal
{
    private const int PasswordLineBytesMax = 64 * 1024;

    public static IAnsiConsole Out { get; } = AnsiConsole.Create(new AnsiConsoleSettings());

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
            Json(new FailureReport(false, $"{file} has mistakes", [.. problems]), CommandJson.Readable.FailureReport);
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
    public static GridCell Cell(string? text, Color? color = null) => new(LogText.Clean(text ?? ""), color);

    public static GridCell Outcome(string outcome) => Cell(outcome, outcome switch
    {
        "ok" => Color.Green,
        "refused" or "failed" => Color.Red,
        _ => Color.Yellow,
    });

    public static void Write(this IAnsiConsole console, Grid table)
    {
        var ansi = !Console.IsOutputRedirected && console.Profile.Capabilities.Ansi
            && console.Profile.Capabilities.ColorSystem != ColorSystem.NoColors;
        foreach (var line in table.Render(Console.IsOutputRedirected ? null : console.Profile.Width, ansi))
        {
            Console.WriteLine(line);
        }
    }

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
        var typed = Console.IsInputRedirected ? Console.In.ReadLine() : Out.Prompt(new TextPrompt<string>(name + ":").Secret(null));
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
        var password = Out.Prompt(new TextPrompt<string>("Password:").Secret(null).AllowEmpty());
        if (twice && password != Out.Prompt(new TextPrompt<string>("Once more:").Secret(null).AllowEmpty()))
        {
            Fail("the two passwords differ", Exit.Usage);
            return null;
        }

        return Encoding.UTF8.GetBytes(password);
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
