using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Admin.Operations;

namespace Sallyport.Commands;

/// <summary>import: logins and password hashes of another system into the file of a directory with type = "hashes".</summary>
internal static class ImportCommand
{
    private static readonly Argument<string> Input = new("file") { Description = "LDIF or CSV; - is standard input", HelpName = "FILE" };
    private static readonly Option<string> Format = new("--format")
    {
        Description = "ldif or csv; by the name of FILE where it is not given",
        HelpName = "FORMAT",
    };

    private static readonly Option<string> Preset = new("--preset")
    {
        Description = $"Where it comes from: {string.Join(", ", ImportOperations.Presets)}",
        DefaultValueFactory = _ => "none",
        HelpName = "SYSTEM",
    };

    private static readonly Option<string[]> Logins = Fields(
        "--login", "Attributes or columns with logins: the first names the account, the others are aliases");

    private static readonly Option<string[]> Passwords = Fields("--password", "Attributes or columns with password hashes; never a password");
    private static readonly Option<string[]> Addresses = Fields("--address", "Attributes or columns with addresses the login may send as");
    private static readonly Option<string[]> Groups = Fields("--group", "Attributes or columns with groups of the login");
    private static readonly Option<string> Delimiter = new("--delimiter")
    {
        Description = "CSV column separator: a character, or tab",
        DefaultValueFactory = _ => ",",
        HelpName = "CHARACTER",
    };

    private static readonly Option<string?> Into = new("--directory")
    {
        Description = "The name of the directory, where several have type = \"hashes\"",
        HelpName = "NAME",
    };

    private static readonly Option<bool> Merge = new("--merge") { Description = "Add and change, remove nothing (the default)" };
    private static readonly Option<bool> Replace = new("--replace") { Description = "Remove logins that are not imported" };
    private static readonly Option<bool> HashPlain = new("--hash-plain")
    {
        Description = "Hash passwords that are plain text; without it they are left out",
    };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Say what would change, and change nothing" };
    private static readonly Option<string> Config = CommandContext.ConfigOption();
    private static readonly Option<bool> Json = CommandContext.JsonOption();

    public static Command Create()
    {
        var command = new Command("import", "Import logins with their password hashes from LDIF or CSV.")
        {
            Input, Preset, Logins, Passwords, Addresses, Groups, Format, Delimiter, Into, Merge, Replace, HashPlain, DryRun, Config, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static Option<string[]> Fields(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "NAME,…",
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))],
    };

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var file = parsed.GetValue(Input)!;
        var (format, mistake) = FormatOf(file, parsed.GetValue(Format));
        mistake ??= !ImportOperations.Presets.Contains(parsed.GetValue(Preset)!)
            ? $"\"{parsed.GetValue(Preset)}\" is not a preset; {string.Join(", ", ImportOperations.Presets)} are" : null;
        mistake ??= DelimiterOf(parsed.GetValue(Delimiter)!) is null ? "--delimiter takes one character of ASCII, or tab" : null;
        mistake ??= parsed.GetValue(Merge) && parsed.GetValue(Replace) ? "--merge and --replace contradict each other" : null;
        if (mistake is not null)
        {
            return Terminal.Fail(mistake, Exit.Usage);
        }

        var request = new ImportRequest(format, parsed.GetValue(Preset)!, parsed.GetValue(Logins) ?? [], parsed.GetValue(Passwords) ?? [],
            parsed.GetValue(Addresses) ?? [], parsed.GetValue(Groups) ?? [], $"{DelimiterOf(parsed.GetValue(Delimiter)!)}", parsed.GetValue(Into),
            parsed.GetValue(Replace), parsed.GetValue(HashPlain), parsed.GetValue(DryRun));
        if (CommandContext.Load(parsed.GetValue(Config)!) is not { } options)
        {
            return Exit.Usage;
        }

        await using var input = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        return await CommandContext.AtDoorAsync(
            options, async admin => Show(await AskAsync(admin, request, input, cancel), parsed.GetValue(Json)), cancel);
    }

    private static async Task<ImportReport> AskAsync(IAdmin admin, ImportRequest request, Stream input, CancellationToken cancel)
    {
        ImportReport? report = null;
        await foreach (var part in admin.StreamAsync(ImportOperations.Run, request, input, cancel))
        {
            report = part.Report;
            Terminal.Progress(report is null ? $"{Terminal.Size(part.BytesRead)} read" : null);
        }

        return report ?? throw new HttpRequestException("it broke off before the end");
    }

    private static (string Format, string? Mistake) FormatOf(string file, string? named) =>
        (named ?? Path.GetExtension(file).TrimStart('.')).ToLowerInvariant() switch
        {
            "ldif" or "ldi" => ("ldif", null),
            "csv" => ("csv", null),
            _ => ("ldif", named is null
                ? $"is {file} LDIF or CSV? Its name does not tell: give --format ldif or --format csv"
                : $"\"{named}\" is not a format; ldif and csv are"),
        };

    private static char? DelimiterOf(string text) => text switch
    {
        "tab" or "\\t" => '\t',
        [var one] when char.IsAscii(one) && one is not ('"' or '\r' or '\n' or '\0') => one,
        _ => null,
    };

    /// <summary>Nothing was tried: the command names no directory, or one that is none.</summary>
    private static bool IsUsage(string code) =>
        code is AdminCodes.ImportNoDirectory or AdminCodes.ImportUnknownDirectory or AdminCodes.ImportWhichDirectory;

    private static int Show(ImportReport report, bool json)
    {
        if (IsUsage(report.Code))
        {
            return Terminal.Fail(Hints.With(report.Message, report.Code, null), Exit.Usage);
        }

        if (json)
        {
            return Terminal.Json(report, AdminJson.Readable.ImportReport, report.Done);
        }

        if (report.Forms.Length > 0)
        {
            var table = Terminal.NewTable("Form", "Entries", "");
            foreach (var form in report.Forms)
            {
                var remark = !form.Imported ? "not imported" : form.Weak ? "weak: replaced by a strong verifier at each login's first use" : "";
                table.Row(Terminal.Cell(form.Form), Terminal.Cell($"{form.Count}"),
                    Terminal.Cell(remark, form.Imported ? CellColor.None : CellColor.Yellow));
            }

            Terminal.Write(table);
        }

        const int Shown = 20;
        foreach (var warning in report.Warnings.Take(Shown))
        {
            Terminal.Warn((warning.Line > 0 ? $"line {warning.Line}: " : "") + warning.Text);
        }

        if (report.WarningsInAll > Shown)
        {
            Terminal.Warn($"and {report.WarningsInAll - Shown} more; --json has the first {report.Warnings.Length}");
        }

        Terminal.Line($"{report.Read} entries read: {report.Added} added, {report.Changed} changed, {report.Unchanged} unchanged, "
            + $"{report.Kept} kept, {report.Removed} removed; {report.Skipped} skipped, {report.PassedOver} non-person entries. "
            + $"{report.Disabled} of {report.Accounts} accounts are disabled.");
        if (!report.Done)
        {
            return Terminal.Fail(report.Message);
        }

        Terminal.Line(report.Message + ".");
        return Exit.Done;
    }
}
