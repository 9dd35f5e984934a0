using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sallyport.Mail.Sasl;
using Sallyport.Server.Telemetry;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sallyport;

/// <summary>What a command shows and asks.</summary>
internal static class Terminal
{
    private const int WidthWithoutTerminal = 240;

    public static IAnsiConsole Out { get; } = Create();

    public static int Json<T>(T value, JsonTypeInfo<T> type, bool done = true)
    {
        Console.WriteLine(JsonSerializer.Serialize(value, type));
        return done ? Exit.Done : Exit.Failed;
    }

    public static void Line(string text) => Console.WriteLine(text);

    public static int Fail(string text, int code = Exit.Failed)
    {
        Console.Error.WriteLine("sallyport: " + text);
        return code;
    }

    public static Table NewTable(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))));
        }

        return table;
    }

    public static void Row(this Table table, params IRenderable[] cells) => table.AddRow(cells);

    /// <summary>A cell with text from anywhere: no markup in it is followed, no control character reaches the terminal.</summary>
    public static IRenderable Cell(string? text, Color? color = null) => new Text(LogText.Clean(text ?? ""), new Style(color ?? Color.Default));

    public static IRenderable Outcome(string outcome) => Cell(outcome, outcome switch
    {
        "ok" => Color.Green,
        "refused" or "failed" => Color.Red,
        _ => Color.Yellow,
    });

    public static string Age(TimeSpan age) => age.TotalMinutes < 1 ? $"{Math.Max(0, (int)age.TotalSeconds)} s"
        : age.TotalHours < 1 ? $"{(int)age.TotalMinutes} min"
        : age.TotalDays < 2 ? $"{(int)age.TotalHours} h {age.Minutes} min"
        : $"{(int)age.TotalDays} d";

    public static string Size(long bytes) => bytes < 10_000
        ? $"{bytes} B"
        : bytes < 10_000_000
            ? (bytes / 1024d).ToString("0 KiB", CultureInfo.InvariantCulture)
            : (bytes / 1024d / 1024).ToString("0.0 MiB", CultureInfo.InvariantCulture);

    /// <summary>A password from a prompt that shows nothing, or the first line of standard input. Null when it can be none.</summary>
    public static string? ReadPassword(bool twice)
    {
        if (Console.IsInputRedirected)
        {
            return Accept(Console.In.ReadLine());
        }

        var password = Out.Prompt(new TextPrompt<string>("Password:").Secret(null));
        if (!twice || password == Out.Prompt(new TextPrompt<string>("Once more:").Secret(null)))
        {
            return Accept(password);
        }

        Fail("the two passwords differ");
        return null;
    }

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

    private static string? Accept(string? typed)
    {
        var password = typed is null ? null : Credentials.Prepare(typed);
        if (string.IsNullOrEmpty(password))
        {
            Fail("no password: type one, or give it as the first line of standard input");
            return null;
        }

        return password;
    }

    private static IAnsiConsole Create()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings());
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = WidthWithoutTerminal;
        }

        return console;
    }
}
