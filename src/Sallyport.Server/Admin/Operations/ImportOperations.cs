using System.Text.Json.Serialization;

namespace Sallyport.Server.Admin.Operations;

/// <summary>Logins with their password hashes, from a file of another system.</summary>
public static class ImportOperations
{
    public static AdminStream<ImportRequest, ImportPart> Run { get; } =
        new("import", AdminJson.Default.ImportRequest, AdminJson.Default.ImportPart)
        {
            Changes = true,
            TakesContent = true,
            About = request => request.Directory,
        };

    /// <summary>Systems whose attributes and columns are known.</summary>
    public static IReadOnlyList<string> Presets { get; } = ["none", "domino", "openldap", "active-directory"];
}

/// <param name="Format">ldif or csv.</param>
/// <param name="Preset">One of <see cref="ImportOperations.Presets"/>.</param>
/// <param name="Logins">Attributes or columns, here and below; those of the preset where empty.</param>
/// <param name="Delimiter">Of CSV, one ASCII character.</param>
/// <param name="Directory">The directory's name; null where there is only one with type = "hashes".</param>
/// <param name="Replace">Logins that are not imported are removed.</param>
public sealed record ImportRequest(
    string Format, string Preset, string[] Logins, string[] Passwords, string[] Addresses, string[] Groups, string Delimiter, string? Directory,
    bool Replace, bool HashPlain, bool DryRun);

/// <param name="BytesRead">Of the file, so far.</param>
/// <param name="Report">In the last part.</param>
public sealed record ImportPart(long BytesRead, ImportReport? Report) : IAdminProgress
{
    [JsonIgnore]
    public IAdminOutcome? Outcome => Report;
}

/// <summary>What an import did, or would do.</summary>
/// <param name="File">The file of the directory.</param>
/// <param name="Accounts">In the file afterwards.</param>
public sealed record ImportReport(bool Done, string Code, bool DryRun, string Message, string File, int Accounts) : IAdminOutcome
{
    public int Read { get; init; }

    public int Added { get; init; }

    public int Changed { get; init; }

    public int Unchanged { get; init; }

    /// <summary>In the file before, and not in what was imported.</summary>
    public int Kept { get; init; }

    public int Removed { get; init; }

    public int Disabled { get; init; }

    public int Skipped { get; init; }

    /// <summary>Entries that are no person, such as groups and units.</summary>
    public int PassedOver { get; init; }

    public ImportedForm[] Forms { get; init; } = [];

    /// <summary>The first ones, in the order of the lines.</summary>
    public ImportWarning[] Warnings { get; init; } = [];

    /// <summary>All of them, told or not.</summary>
    public int WarningsInAll { get; init; }
}

/// <param name="Imported">False for a form the directory cannot check.</param>
public sealed record ImportedForm(string Form, int Count, bool Imported, bool Weak);

/// <param name="Line">Of the imported file, where the entry begins; 0 for the directory's own file.</param>
/// <param name="What">skipped, disabled, duplicate or note.</param>
public sealed record ImportWarning(int Line, string What, string Text);
