namespace Sallyport.Server.Identity.Import;

/// <summary>What an import does, or would do. Names only grow: it is what --json prints.</summary>
/// <param name="Done">False when nothing was written though it should have been; <paramref name="Message"/> says why.</param>
/// <param name="File">The file of the directory.</param>
/// <param name="Accounts">In the file afterwards.</param>
public sealed record ImportReport(bool Done, bool DryRun, string Message, string File, int Accounts)
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

    public IReadOnlyList<ImportedForm> Forms { get; init; } = [];

    /// <summary>The first ones, in the order of the lines.</summary>
    public IReadOnlyList<ImportWarning> Warnings { get; init; } = [];

    /// <summary>All of them, told or not.</summary>
    public int WarningsInAll { get; init; }
}

/// <param name="Imported">False for a form the directory cannot check.</param>
public sealed record ImportedForm(string Form, int Count, bool Imported, bool Weak);

/// <param name="Line">Of the imported file, where the entry begins; 0 for the directory's own file.</param>
/// <param name="What">skipped, disabled, duplicate or note.</param>
public sealed record ImportWarning(int Line, string What, string Text);
