using System.Collections.Immutable;
using System.Text;
using Sallyport.Server.Identity.Directories.Hashes;

namespace Sallyport.Server.Identity.Import;

/// <param name="File">Of the directory with type = "hashes".</param>
/// <param name="Owner">The directory whose owner gets a new file, where root makes it.</param>
public sealed record ImportOptions(string File, string Owner, ImportFormat Format, ImportMapping Mapping)
{
    public char Delimiter { get; init; } = ',';

    /// <summary>Columns that must be there, where some were named.</summary>
    public ImmutableArray<string> Needed { get; init; } = [];

    /// <summary>What is not imported is removed; else it is kept.</summary>
    public bool Replace { get; init; }

    public bool HashPlain { get; init; }

    public bool DryRun { get; init; }
}

/// <summary>Takes logins with their password hashes from an LDIF or CSV file into the file of a directory with type = "hashes".</summary>
public static class HashImport
{
    private const long MostMiB = HashFile.BytesMax / 1024 / 1024;

    /// <exception cref="IOException">The input or the directory's file cannot be read or written; the file is then as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static ImportReport Run(Stream input, ImportOptions options, TimeProvider time)
    {
        var notes = new ImportNotes();
        var found = new FoundAccounts(notes);
        var evaluator = new EntryEvaluator(options.Mapping, options.Format == ImportFormat.Csv, options.HashPlain, time.GetUtcNow(), notes);
        foreach (var record in Records(input, options))
        {
            switch (record)
            {
                case ImportRecord.Refused refused:
                    return Nothing(options, notes, $"line {refused.Line}: {refused.Why}");
                case ImportRecord.Mistake mistake:
                    notes.Read++;
                    notes.Skip(mistake.Line, mistake.Why);
                    break;
                case ImportRecord.Entry entry:
                    notes.Read++;
                    if (evaluator.Evaluate(entry) is { } account && !found.Add(account))
                    {
                        return Nothing(options, notes, $"line {entry.Line}: there is more than the directory's file can hold, {MostMiB} MiB");
                    }

                    break;
            }
        }

        found.DropSharedAliases();
        var change = new HashFileChange(ReadOld(options.File), found, options.Replace, notes);
        return change.Imported == 0
            ? Nothing(options, notes, "there is no account to import")
            : Finish(options, change, notes);
    }

    private static IEnumerable<ImportRecord> Records(Stream input, ImportOptions options) => options.Format == ImportFormat.Csv
        ? CsvReader.Read(input, options.Delimiter, options.Mapping.Wanted, options.Needed)
        : LdifReader.Read(input, options.Mapping.Wanted);

    private static IEnumerable<string> ReadOld(string file) => !File.Exists(file) ? []
        : new FileInfo(file).Length > HashFile.BytesMax ? throw new IOException($"{file} is larger than {MostMiB} MiB")
        : File.ReadLines(file);

    private static ImportReport Finish(ImportOptions options, HashFileChange change, ImportNotes notes)
    {
        var bytes = change.Lines.Sum(line => (long)Encoding.UTF8.GetByteCount(line) + 1);
        if (bytes > HashFile.BytesMax)
        {
            return Nothing(options, notes, $"the file would have {bytes / 1024 / 1024} MiB; the directory reads at most {MostMiB}");
        }

        var changes = change.Added + change.Changed + change.Removed > 0;
        if (changes && !options.DryRun)
        {
            WholeFile.Write(options.File, options.Owner, change.Lines);
        }

        return Report(options, change, notes, !changes ? $"{options.File} is so already"
            : options.DryRun ? $"{options.File} is as it was: this was a trial" : $"{options.File} is written");
    }

    private static ImportReport Report(ImportOptions options, HashFileChange change, ImportNotes notes, string message) =>
        Counted(new ImportReport(true, options.DryRun, message, options.File, change.Accounts)
        {
            Added = change.Added,
            Changed = change.Changed,
            Unchanged = change.Unchanged,
            Kept = change.Kept,
            Removed = change.Removed,
            Disabled = change.Disabled,
        }, notes);

    private static ImportReport Nothing(ImportOptions options, ImportNotes notes, string why) =>
        Counted(new ImportReport(false, options.DryRun, $"nothing is imported: {why}", options.File, 0), notes);

    private static ImportReport Counted(ImportReport report, ImportNotes notes) => report with
    {
        Read = notes.Read,
        Skipped = notes.Skipped,
        PassedOver = notes.PassedOver,
        Forms = notes.Forms,
        Warnings = notes.Warnings,
        WarningsInAll = notes.WarningsInAll,
    };
}
