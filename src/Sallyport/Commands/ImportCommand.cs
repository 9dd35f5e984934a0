using System.Collections.Immutable;
using System.CommandLine;
using Sallyport.Interaction;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity.Import;

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
        Description = $"Where it comes from: {string.Join(", ", ImportMapping.PresetNames)}",
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
        Description = "What parts the columns of CSV: a character, or tab",
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
        command.SetAction(Run);
        return command;
    }

    private static Option<string[]> Fields(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "NAME,…",
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))],
    };

    private static int Run(ParseResult parsed)
    {
        var file = parsed.GetValue(Input)!;
        var (format, mistake) = FormatOf(file, parsed.GetValue(Format));
        mistake ??= !ImportMapping.PresetNames.Contains(parsed.GetValue(Preset)!)
            ? $"\"{parsed.GetValue(Preset)}\" is no preset; {string.Join(", ", ImportMapping.PresetNames)} are" : null;
        mistake ??= DelimiterOf(parsed.GetValue(Delimiter)!) is null ? "--delimiter takes one character of ASCII, or tab" : null;
        mistake ??= parsed.GetValue(Merge) && parsed.GetValue(Replace) ? "--merge and --replace contradict each other" : null;
        if (mistake is not null)
        {
            return Terminal.Fail(mistake, Exit.Usage);
        }

        if (CommandContext.Load(parsed.GetValue(Config)!) is not { } options)
        {
            return Exit.Usage;
        }

        var (directory, trouble) = Find(options, parsed.GetValue(Into));
        if (directory is null)
        {
            return Terminal.Fail(trouble, Exit.Usage);
        }

        using var input = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        var report = HashImport.Run(input, OptionsOf(parsed, format, directory.File, options.Data), TimeProvider.System);
        return parsed.GetValue(Json) ? Terminal.Json(report, CommandJson.Readable.ImportReport, report.Done) : Show(report);
    }

    private static ImportOptions OptionsOf(ParseResult parsed, ImportFormat format, string file, string data)
    {
        var preset = ImportMapping.Of(parsed.GetValue(Preset)!, format);
        var named = new[] { Logins, Passwords, Addresses, Groups }.Select(option => Lower(parsed.GetValue(option))).ToList();
        var mapping = preset with
        {
            Logins = named[0].IsEmpty ? preset.Logins : named[0],
            Passwords = named[1].IsEmpty ? preset.Passwords : named[1],
            Addresses = named[2].IsEmpty ? preset.Addresses : named[2],
            Groups = named[3].IsEmpty ? preset.Groups : named[3],
        };
        return new ImportOptions(file, data, format, mapping)
        {
            Delimiter = DelimiterOf(parsed.GetValue(Delimiter)!)!.Value,
            Needed = [.. mapping.Logins, .. mapping.Passwords, .. named[2], .. named[3]],
            Replace = parsed.GetValue(Replace),
            HashPlain = parsed.GetValue(HashPlain),
            DryRun = parsed.GetValue(DryRun),
        };
    }

    private static ImmutableArray<string> Lower(string[]? names) => [.. (names ?? []).Select(name => name.ToLowerInvariant())];

    private static (ImportFormat Format, string? Mistake) FormatOf(string file, string? named) =>
        (named ?? Path.GetExtension(file).TrimStart('.')).ToLowerInvariant() switch
        {
            "ldif" or "ldi" => (ImportFormat.Ldif, null),
            "csv" => (ImportFormat.Csv, null),
            _ => (ImportFormat.Ldif, named is null
                ? $"is {file} LDIF or CSV? Its name does not tell: give --format ldif or --format csv"
                : $"\"{named}\" is no format; ldif and csv are"),
        };

    private static char? DelimiterOf(string text) => text switch
    {
        "tab" or "\\t" => '\t',
        [var one] when char.IsAscii(one) && one is not ('"' or '\r' or '\n' or '\0') => one,
        _ => null,
    };

    private static (HashesDirectoryOptions? Directory, string Trouble) Find(ServerOptions options, string? name)
    {
        var all = options.Directories.OfType<HashesDirectoryOptions>().ToList();
        var found = name is null ? all : [.. all.Where(one => one.Name == name)];
        return (found.Count, all.Count) switch
        {
            (1, _) => (found[0], ""),
            (_, 0) => (null, "the configuration has no [[directory]] with type = \"hashes\": add one, with the file to write"),
            (0, _) => (null, $"no directory with type = \"hashes\" is called {name}; {string.Join(", ", all.Select(one => one.Name))} are"),
            _ => (null, $"into which directory? --directory {string.Join(", or --directory ", all.Select(one => one.Name))}"),
        };
    }

    private static int Show(ImportReport report)
    {
        if (report.Forms.Count > 0)
        {
            var table = Terminal.NewTable("Form", "Entries", "");
            foreach (var form in report.Forms)
            {
                var remark = !form.Imported ? "not imported" : form.Weak ? "weak: replaced by a strong verifier at each login's first use" : "";
                table.Row(Terminal.Cell(form.Form), Terminal.Cell($"{form.Count}"),
                    Terminal.Cell(remark, form.Imported ? null : Spectre.Console.Color.Yellow));
            }

            Terminal.Out.Write(table);
        }

        const int Shown = 20;
        foreach (var warning in report.Warnings.Take(Shown))
        {
            Terminal.Warn((warning.Line > 0 ? $"line {warning.Line}: " : "") + warning.Text);
        }

        if (report.WarningsInAll > Shown)
        {
            Terminal.Warn($"and {report.WarningsInAll - Shown} more; --json has the first {report.Warnings.Count}");
        }

        Terminal.Line($"{report.Read} entries read: {report.Added} added, {report.Changed} changed, {report.Unchanged} unchanged, "
            + $"{report.Kept} kept, {report.Removed} removed; {report.Skipped} skipped, {report.PassedOver} that are no person. "
            + $"{report.Disabled} of {report.Accounts} accounts are disabled.");
        if (!report.Done)
        {
            return Terminal.Fail(report.Message);
        }

        Terminal.Line(report.Message + ".");
        return Exit.Done;
    }
}
